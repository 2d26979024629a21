package io.camhook.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.builtin.LayerHealth;
import io.camhook.capture.Admission;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
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
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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

/** Two captures are written and one does not fit: what an operator sees of it. */
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
}
