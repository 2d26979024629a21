package io.camhook.fleet;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.KafkaOutput;
import io.camhook.fleet.Fleet.Application;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends captures {@code first}, {@code first + 1} … to a topic, and prints how many of them were
 * written, until it is killed or has sent all of them.
 */
final class SendingProgram {
  /** Gives the sender time to send some of it before the kill. */
  private static final long PACE_NANOS = 2_000_000;

  private SendingProgram() {}

  public static void main(String[] arguments) {
    KafkaOutput kafka =
        Fleet.with(
            KafkaOutput.of(arguments[0], arguments[1]),
            Long.parseLong(arguments[2]),
            Path.of(arguments[3]),
            null,
            Map.of());
    int first = Integer.parseInt(arguments[4]);
    int last = first + Integer.parseInt(arguments[5]);
    Application application = new Application(kafka, Limits.WhenFull.BLOCK);
    try (application) {
      for (int i = first; i < last; i++) {
        while (!application.request(Fleet.capture(i, 64))) {
          LockSupport.parkNanos(PACE_NANOS); // paused: the broker did not answer in time
        }
        LockSupport.parkNanos(PACE_NANOS);
        if (i % 5 == 0) {
          System.out.println(application.recorder.counters().written());
        }
      }
    } finally {
      application.lines.forEach(System.out::println);
    }
  }
}
