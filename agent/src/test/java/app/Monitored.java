package app;

import app.nn.Scale;
import app.nn.Stack;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;

/**
 * A network whose inputs grow, and its operator: prints camhook's JMX beans and flight recorder
 * events once they are there. It knows nothing about camhook.
 */
public final class Monitored {
  private Monitored() {}

  public static void main(String[] args) throws Exception {
    Map<String, String> events = new TreeMap<>();
    CountDownLatch seen = new CountDownLatch(2);
    try (RecordingStream flight = new RecordingStream()) {
      flight.enable("io.camhook.LayerStatistics").withPeriod(Duration.ofMillis(20));
      flight.enable("io.camhook.LayerDrift");
      flight.onEvent("io.camhook.LayerStatistics", event -> keep(event, events, seen));
      flight.onEvent("io.camhook.LayerDrift", event -> keep(event, events, seen));
      flight.startAsync();
      Stack network = new Stack(new Scale(2), new Scale(3));
      for (int i = 0; i < 10; i++) {
        network.forward(new float[] {1 + i, 0});
      }
      printBeans();
      seen.await();
    }
    events.values().forEach(System.out::println);
  }

  private static synchronized void keep(
      RecordedEvent event, Map<String, String> events, CountDownLatch seen) {
    if (events.put(event.getEventType().getName(), event.toString()) == null) {
      seen.countDown();
    }
  }

  private static void printBeans() throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    while (server.queryNames(new ObjectName("io.camhook:type=Layer,*"), null).isEmpty()) {
      Thread.onSpinWait();
    }
    for (ObjectName name : server.queryNames(new ObjectName("io.camhook:type=Layer,*"), null)) {
      System.out.println(name.getCanonicalName());
      for (var attribute : server.getMBeanInfo(name).getAttributes()) {
        System.out.println(
            attribute.getName() + " = " + text(server.getAttribute(name, attribute.getName())));
      }
    }
  }

  private static String text(Object value) {
    if (!(value instanceof TabularData table)) {
      return String.valueOf(value);
    }
    Map<Object, Object> entries = new TreeMap<>();
    for (Object row : table.values()) {
      CompositeData entry = (CompositeData) row;
      entries.put(entry.get("key"), entry.get("value"));
    }
    return entries.toString();
  }
}
