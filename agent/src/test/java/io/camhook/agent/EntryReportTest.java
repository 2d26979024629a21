package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EntryReportTest {
  private final CamhookConfig config =
      new CamhookConfig(
          List.of(
              new CamhookConfig.Model(
                  "net",
                  List.of("fc"),
                  Set.of(CaptureKind.ACTIVATION),
                  CamhookConfig.Target.NONE,
                  null,
                  List.of(),
                  null)),
          new CamhookConfig.Sampling(1, Double.POSITIVE_INFINITY),
          new CamhookConfig.Limits(1 << 20, CamhookConfig.Limits.WhenFull.DROP, false),
          new CamhookConfig.Output("unused", 1 << 20),
          false);
  private final CountDownLatch gate = new CountDownLatch(1);

  @Test
  void model_whose_captures_wait_should_not_be_said_to_have_none() {
    Recorder recorder = new Recorder(config.limits(), "there", SlowSink::new, EventLog.SILENT);
    EntryReport report = new EntryReport(config, recorder, new Failures(EventLog.SILENT));
    recorder.model(new ModelInfo("net", List.of()));
    assertThat(report.cameToNothing())
        .containsExactly(
            "model net was matched and nothing of it recorded: no pass of it ran and was sampled");
    try {
      recorder.submit(new HeapCapture(Capture.builder("net").build()));
      assertThat(report.cameToNothing()).isEmpty();
    } finally {
      gate.countDown();
      recorder.close();
    }
    assertThat(report.cameToNothing()).isEmpty();
  }

  private final class SlowSink implements CaptureSink {
    @Override
    public void write(Capture capture) throws IOException {
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    @Override
    public void close(CaptureStatus status) {}
  }
}
