package io.camhook.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.builtin.Baseline;
import io.camhook.builtin.LayerCall;
import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.Watches;
import io.camhook.capture.Admission;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.Tensor;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.TabularData;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two captures are written and one does not fit: what an operator sees. */
@Timeout(60)
class TelemetryTest {
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final Recorder recorder =
      new Recorder(
          new Limits(100, Limits.WhenFull.BLOCK, false),
          "there",
          () ->
              new CaptureSink() {
                @Override
                public void write(Capture capture) {}

                @Override
                public void close(CaptureStatus status) {}
              },
          new EventLog() {
            @Override
            public void info(String message) {
              log.add(message);
            }

            @Override
            public void warn(String message) {}

            @Override
            public void failure(String message, Throwable cause) {
              throw new AssertionError(message, cause);
            }
          });

  @AfterEach
  void close() {
    recorder.close();
  }

  private static HeapCapture item(int bytes) {
    return new HeapCapture(
        Capture.builder("net").tensor("x", Tensor.ofBytes(new byte[bytes], bytes)).build());
  }

  private void capture() {
    for (int bytes : new int[] {10, 20}) {
      try (Admission ignored = recorder.admit()) {
        recorder.took(TimeUnit.MICROSECONDS.toNanos(3));
        recorder.submit(item(bytes));
      }
    }
    recorder.submit(item(101));
    Awaitility.await().until(() -> recorder.counters().written() == 2);
  }

  @Test
  void counters_should_be_a_jmx_bean_until_the_end() throws Exception {
    Telemetry.attach(recorder, new LayerHealth(EventLog.SILENT), Duration.ZERO, EventLog.SILENT);
    capture();
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    ObjectName name = new ObjectName("io.camhook:type=Recorder");
    assertThat(server.getAttribute(name, "State")).isEqualTo("RECORDING");
    assertThat(server.getAttribute(name, "Destination")).isEqualTo("there");
    assertThat(server.getAttribute(name, "Sampled")).isEqualTo(2L);
    assertThat(server.getAttribute(name, "Fired")).isEqualTo(3L);
    assertThat(server.getAttribute(name, "Written")).isEqualTo(2L);
    assertThat(server.getAttribute(name, "Dropped")).isEqualTo(1L);
    assertThat(server.getAttribute(name, "Failed")).isEqualTo(0L);
    assertThat(server.getAttribute(name, "BytesWritten")).isEqualTo(30L);
    assertThat(server.getAttribute(name, "QueueHighWaterBytes")).isIn(20L, 30L);
    assertThat(server.getAttribute(name, "RequestTimeMedianMicros")).isEqualTo(4L);
    TabularData reasons = (TabularData) server.getAttribute(name, "DroppedByReason");
    assertThat(reasons.get(new Object[] {"larger than the queue"}).get("value")).isEqualTo(1L);
    TabularData times = (TabularData) server.getAttribute(name, "RequestTime");
    assertThat(times.get(new Object[] {"<= 4 us"}).get("value")).isEqualTo(2L);
    recorder.close();
    assertThat(server.isRegistered(name)).isFalse();
  }

  @Test
  void captures_should_be_flight_recorder_events(@TempDir Path directory) throws Exception {
    Telemetry.attach(recorder, new LayerHealth(EventLog.SILENT), Duration.ZERO, EventLog.SILENT);
    Path file = directory.resolve("camhook.jfr");
    try (Recording flight = new Recording()) {
      flight.enable("io.camhook.CaptureWritten");
      flight.enable("io.camhook.CaptureLost");
      flight.enable("io.camhook.CaptureStatistics").withPeriod(Duration.ofMillis(20));
      flight.start();
      capture();
      recorder.close();
      flight.stop();
      flight.dump(file);
    }
    assertThat(Files.size(file)).isPositive();
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    assertThat(events.stream().filter(e -> e.getEventType().getName().endsWith("CaptureWritten")))
        .extracting(event -> event.getLong("bytes"))
        .containsExactlyInAnyOrder(10L, 20L);
    assertThat(events.stream().filter(e -> e.getEventType().getName().endsWith("CaptureLost")))
        .singleElement()
        .extracting(event -> event.getString("reason"))
        .isEqualTo("larger than the queue");
  }

  @Test
  void counters_should_be_among_the_applications_micrometer_meters() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Metrics.addRegistry(registry);
    try {
      Telemetry.attach(recorder, new LayerHealth(EventLog.SILENT), Duration.ZERO, EventLog.SILENT);
      capture();
      Awaitility.await().until(() -> registry.find("camhook.request.time").meters().size() == 2);
      assertThat(registry.get("camhook.captures.written").functionCounter().count()).isEqualTo(2);
      assertThat(
              registry
                  .get("camhook.captures.dropped")
                  .tag("reason", "larger than the queue")
                  .functionCounter()
                  .count())
          .isEqualTo(1);
      assertThat(registry.get("camhook.queue.high_water").gauge().value()).isBetween(20., 30.);
      recorder.close();
      assertThat(registry.find("camhook.captures.written").meter()).isNull();
    } finally {
      Metrics.removeRegistry(registry);
    }
  }

  /** The application sets its global OpenTelemetry late: camhook must not have set it before. */
  @Test
  void counters_and_capture_ids_should_be_in_the_applications_open_telemetry() {
    GlobalOpenTelemetry.resetForTest();
    ApplicationMetrics metrics = new ApplicationMetrics(new LayerHealth(EventLog.SILENT));
    recorder.observe(metrics);
    recorder.observe(new SpanAttribute());
    recorder.submit(item(5));
    Awaitility.await().until(() -> recorder.counters().written() == 1);
    metrics.tick();

    InMemoryMetricReader reader = InMemoryMetricReader.create();
    InMemorySpanExporter spans = InMemorySpanExporter.create();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(reader).build())
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .buildAndRegisterGlobal();
    try {
      Span span = sdk.getTracer("test").spanBuilder("predict").startSpan();
      HeapCapture traced = item(7);
      try (Scope ignored = span.makeCurrent()) {
        recorder.submit(traced);
      }
      span.end();
      Awaitility.await().until(() -> recorder.counters().written() == 2);
      metrics.tick();

      assertThat(spans.getFinishedSpanItems())
          .singleElement()
          .extracting(s -> s.getAttributes().get(AttributeKey.stringKey("camhook.capture.id")))
          .isEqualTo(traced.capture().id());
      MetricData written =
          reader.collectAllMetrics().stream()
              .filter(metric -> metric.getName().equals("camhook.captures.written"))
              .findFirst()
              .orElseThrow();
      assertThat(written.getLongSumData().getPoints())
          .singleElement()
          .extracting(point -> point.getValue())
          .isEqualTo(2L);
    } finally {
      sdk.close();
      GlobalOpenTelemetry.resetForTest();
    }
  }

  @Test
  void line_should_be_logged_from_time_to_time() {
    recorder.observe(
        new PeriodicLine(
            Duration.ofMillis(5),
            new EventLog() {
              @Override
              public void info(String message) {
                log.add(message);
              }

              @Override
              public void warn(String message) {}

              @Override
              public void failure(String message, Throwable cause) {}
            }));
    capture();
    String line =
        "2 of 3 captures written to there, 1 dropped, 0 failed (larger than the queue: 1)";
    Awaitility.await().until(() -> log.stream().filter(line::equals).count() >= 2);
    recorder.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> thread.getName().equals("camhook-log") && thread.isAlive())
        .allSatisfy(thread -> thread.join(10_000));
  }

  /** Mean 1 ± 0.5, norm 2 ± 1. */
  private static Path baseline(Path directory) throws IOException {
    Path file = directory.resolve("base.json");
    new Baseline(
            Map.of(
                new Baseline.Key("net", "conv", "activation"),
                new Baseline.Usual(100, 1, 0.5, 2, 1, 0, 0)))
        .write(file);
    return file;
  }

  /**
   * A {@code stats} hook sees [1,4,1]: channels 3, 0, 0 and NaN. Mean of the finite values 1, norm
   * 3: 0 and 1 deviations from the baseline; of four channels two are dead, of four values one is
   * NaN.
   */
  private static void step(LayerWatch stats, String layer) {
    stats.forward(
        new LayerCall("net", layer, "Conv", 0, 0),
        List.of(),
        List.of(
            new LayerValues() {
              @Override
              public long[] shape() {
                return new long[] {1, 4, 1};
              }

              @Override
              public float[] toFloats() {
                return new float[] {3, 0, 0, Float.NaN};
              }
            }));
  }

  private LayerWatch stats(Path directory) throws IOException {
    Watches watches = new Watches(null, EventLog.SILENT);
    Telemetry.attach(recorder, watches.health(), Duration.ZERO, EventLog.SILENT);
    return watches.of(
        new CamhookConfig.Hook(
            List.of("*"), "stats", Map.of("baseline", baseline(directory).toString())));
  }

  /** Nothing is captured: the hooks alone make the beans. */
  @Test
  void layers_should_be_jmx_beans_without_any_capture(@TempDir Path directory) throws Exception {
    LayerWatch stats = stats(directory);
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    ObjectName pattern = new ObjectName("io.camhook:type=Layer,*");
    step(stats, "conv");
    Awaitility.await().until(() -> server.queryNames(pattern, null).size() == 1);
    step(stats, "conv");
    step(stats, "a,b");
    Awaitility.await().until(() -> server.queryNames(pattern, null).size() == 2);
    ObjectName conv = new ObjectName("io.camhook:type=Layer,layer=\"conv\",*");
    ObjectName name = server.queryNames(conv, null).iterator().next();
    assertThat(name.getCanonicalName())
        .isEqualTo("io.camhook:layer=\"conv\",model=\"net\",type=Layer,value=\"activation\"");
    assertThat(server.getAttribute(name, "Steps")).isEqualTo(2L);
    assertThat(server.getAttribute(name, "Mean")).isEqualTo(1.0);
    assertThat(server.getAttribute(name, "NonFinite")).isEqualTo(2L);
    assertThat(server.getAttribute(name, "Channels")).isEqualTo(4);
    assertThat(server.getAttribute(name, "DeadChannels")).isEqualTo(2);
    assertThat(server.getAttribute(name, "Drift")).isEqualTo(1.0);
    assertThat(server.getAttribute(name, "Drifting")).isEqualTo(false);
    assertThat(steps(server, name, "MeanDrifts", "<= 1")).isEqualTo(2L);
    assertThat(steps(server, name, "NormDrifts", "<= 1")).isEqualTo(2L);
    assertThat(steps(server, name, "DeadShares", "<= 50")).isEqualTo(2L);
    assertThat(steps(server, name, "NonFiniteShares", "<= 50")).isEqualTo(2L);
    ObjectName all = new ObjectName("io.camhook:type=Layers");
    assertThat((String[]) server.getAttribute(all, "Layers"))
        .contains(
            "net conv activation: steps 2, mean 1.000, norm 3.000, NaN or infinite 2, dead"
                + " channels 2 of 4, drift 1.00");
    assertThat(server.getAttribute(all, "NonFinite")).isEqualTo(3L);
    assertThat(server.getAttribute(new ObjectName("io.camhook:type=Recorder"), "State"))
        .isEqualTo("IDLE");
    recorder.close();
    assertThat(server.queryNames(new ObjectName("io.camhook:*"), null)).isEmpty();
    assertThat(log).isEmpty(); // no line says that nothing was captured, as configured
  }

  private static Object steps(MBeanServer server, ObjectName name, String attribute, String key)
      throws Exception {
    TabularData table = (TabularData) server.getAttribute(name, attribute);
    return table.get(new Object[] {key}).get("value");
  }

  @Test
  void layers_should_be_flight_recorder_events(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("camhook.jfr");
    try (Recording flight = new Recording()) {
      flight.enable("io.camhook.LayerDrift");
      flight.enable("io.camhook.LayerStatistics").withPeriod(Duration.ofMillis(20));
      flight.start();
      LayerWatch stats = stats(directory);
      step(stats, "conv");
      Awaitility.await()
          .until(
              () -> {
                flight.dump(file);
                return !statistics(file).isEmpty();
              });
      recorder.close();
    }
    RecordedEvent event = statistics(file).get(0);
    assertThat(event.getEventType().getCategoryNames()).containsExactly("camhook");
    assertThat(event.getString("model")).isEqualTo("net");
    assertThat(event.getString("layer")).isEqualTo("conv");
    assertThat(event.getLong("nonFinite")).isEqualTo(1);
    assertThat(event.getInt("deadChannels")).isEqualTo(2);
    assertThat(event.getString("meanDrifts")).isEqualTo("{<= 1=1, <= 2=0, <= 4=0, <= 8=0, > 8=0}");
    assertThat(event.getString("deadShares"))
        .isEqualTo("{<= 0=0, <= 1=0, <= 10=0, <= 50=1, > 50=0}");
  }

  private static List<RecordedEvent> statistics(Path file) throws IOException {
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().equals("io.camhook.LayerStatistics"))
        .toList();
  }

  @Test
  void layers_should_be_among_the_applications_micrometer_meters(@TempDir Path directory)
      throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Metrics.addRegistry(registry);
    try {
      LayerWatch stats = stats(directory);
      step(stats, "conv");
      Awaitility.await().until(() -> registry.find("camhook.layers.steps").meter() != null);
      step(stats, "late");
      step(stats, "late");
      Awaitility.await().until(() -> registry.find("camhook.layers.steps").meters().size() == 2);
      assertThat(
              registry
                  .get("camhook.layers.nonfinite")
                  .tags("model", "net", "layer", "late", "value", "activation")
                  .functionCounter()
                  .count())
          .isEqualTo(2);
      assertThat(
              registry
                  .get("camhook.layers.drift.norm")
                  .tags("layer", "conv", "class", "<= 1")
                  .functionCounter()
                  .count())
          .isEqualTo(1);
      assertThat(registry.get("camhook.layers.dead_channels").tag("layer", "conv").gauge().value())
          .isEqualTo(2);
      assertThat(registry.get("camhook.captures.written").functionCounter().count()).isZero();
      recorder.close();
      assertThat(registry.getMeters()).isEmpty();
    } finally {
      Metrics.removeRegistry(registry);
    }
  }

  /** Two loaders of one application see the same library: each number appears once. */
  @Test
  void layers_should_be_in_the_applications_open_telemetry_once(@TempDir Path directory)
      throws Exception {
    GlobalOpenTelemetry.resetForTest();
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(reader).build())
            .buildAndRegisterGlobal();
    Thread thread = Thread.currentThread();
    ClassLoader own = thread.getContextClassLoader();
    try (URLClassLoader child = new URLClassLoader(new URL[0], own)) {
      LayerWatch stats = stats(directory);
      step(stats, "conv");
      thread.setContextClassLoader(child);
      step(stats, "late");
      Awaitility.await().until(() -> points(reader, "camhook.layers.steps").size() == 2);
      assertThat(points(reader, "camhook.layers.dead.share"))
          .filteredOn(point -> point.getValue() == 1)
          .extracting(point -> point.getAttributes().get(AttributeKey.stringKey("layer")))
          .containsExactlyInAnyOrder("conv", "late");
      assertThat(points(reader, "camhook.layers.dead.share")).hasSize(10); // 5 classes per layer
    } finally {
      thread.setContextClassLoader(own);
      recorder.close();
      assertThat(points(reader, "camhook.layers.steps")).isEmpty();
      sdk.close();
      GlobalOpenTelemetry.resetForTest();
    }
  }

  private static List<LongPointData> points(InMemoryMetricReader reader, String name) {
    return reader.collectAllMetrics().stream()
        .filter(metric -> metric.getName().equals(name))
        .flatMap(
            metric ->
                metric.getType() == MetricDataType.LONG_SUM
                    ? metric.getLongSumData().getPoints().stream()
                    : metric.getLongGaugeData().getPoints().stream())
        .toList();
  }
}
