package io.camhook.telemetry;

import io.camhook.capture.CaptureObserver;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Loss;
import io.camhook.capture.Recorder;
import io.camhook.recording.Capture;
import java.util.Objects;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** JFR events: one for each capture that was written or lost, and the counters every second. */
final class FlightEvents implements CaptureObserver {
  private volatile @Nullable Runnable statistics;

  @Name("io.camhook.CaptureWritten")
  @Label("Capture Written")
  @Category("camhook")
  @StackTrace(false)
  static final class CaptureWritten extends Event {
    @Label("Capture")
    String capture = "";

    @Label("Model")
    String model = "";

    @DataAmount
    @Label("Size")
    long bytes;

    @Timespan
    @Label("Time to Write")
    long writing;
  }

  @Name("io.camhook.CaptureLost")
  @Label("Capture Lost")
  @Category("camhook")
  @StackTrace(false)
  static final class CaptureLost extends Event {
    @Label("Kind")
    String kind = "";

    @Label("Reason")
    String reason = "";
  }

  @Name("io.camhook.CaptureStatistics")
  @Label("Capture Statistics")
  @Category("camhook")
  @Period("1 s")
  @StackTrace(false)
  static final class CaptureStatistics extends Event {
    @Label("State")
    String state = "";

    @Label("Sampled")
    long sampled;

    @Label("Fired")
    long fired;

    @Label("Written")
    long written;

    @Label("Dropped")
    long dropped;

    @Label("Failed")
    long failed;

    @DataAmount
    @Label("Written Bytes")
    long bytesWritten;

    @DataAmount
    @Label("Queue")
    long queueBytes;

    @DataAmount
    @Label("Queue High Water")
    long queueHighWater;

    @Label("Queue Length")
    int queueLength;
  }

  @Override
  public void began(Recorder recorder) {
    Runnable hook = () -> commit(recorder.status());
    statistics = hook;
    FlightRecorder.addPeriodicEvent(CaptureStatistics.class, hook);
  }

  private static void commit(CaptureStatus status) {
    CaptureStatistics event = new CaptureStatistics();
    event.state = status.state().name();
    event.sampled = status.sampled();
    event.fired = status.counters().fired();
    event.written = status.counters().written();
    event.dropped = status.counters().dropped();
    event.failed = status.counters().failed();
    event.bytesWritten = status.bytesWritten();
    event.queueBytes = status.queueBytes();
    event.queueHighWater = status.queueHighWater();
    event.queueLength = status.queueLength();
    event.commit();
  }

  @Override
  public void written(Capture capture, long nanos) {
    CaptureWritten event = new CaptureWritten();
    if (event.isEnabled()) {
      event.capture = capture.id();
      event.model = capture.model();
      event.bytes = capture.tensorBytes();
      event.writing = nanos;
      event.commit();
    }
  }

  @Override
  public void lost(Loss loss) {
    CaptureLost event = new CaptureLost();
    if (event.isEnabled()) {
      event.kind = loss.kind().name();
      event.reason = loss.reason();
      event.commit();
    }
  }

  @Override
  public void close() {
    FlightRecorder.removePeriodicEvent(Objects.requireNonNull(statistics));
  }
}
