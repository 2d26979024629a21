package io.camhook.telemetry;

import io.camhook.capture.CaptureObserver;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Recorder;
import io.camhook.capture.TimeHistogram;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Registers the JMX bean when the first request is captured. Not earlier, because that would start
 * the platform MBean server before the application can configure it.
 */
final class ManagedRecorder implements CaptureObserver {
  static final String NAME = "io.camhook:type=Recorder";

  @Override
  public void began(Recorder recorder) {
    PlatformBeans.register(NAME, new Bean(recorder), RecorderMXBean.class);
  }

  @Override
  public void close() {
    PlatformBeans.unregister(NAME);
  }

  private record Bean(Recorder recorder) implements RecorderMXBean {
    private CaptureStatus status() {
      return recorder.status();
    }

    @Override
    public String getState() {
      return status().state().name();
    }

    @Override
    public String getReason() {
      String reason = status().reason();
      return reason == null ? "" : reason;
    }

    @Override
    public String getDestination() {
      return recorder.destination();
    }

    @Override
    public long getSampled() {
      return status().sampled();
    }

    @Override
    public long getSkipped() {
      return status().skipped();
    }

    @Override
    public long getFired() {
      return status().counters().fired();
    }

    @Override
    public long getWritten() {
      return status().counters().written();
    }

    @Override
    public long getDropped() {
      return status().counters().dropped();
    }

    @Override
    public long getFailed() {
      return status().counters().failed();
    }

    @Override
    public Map<String, Long> getDroppedByReason() {
      return status().droppedByReason();
    }

    @Override
    public Map<String, Long> getFailedByReason() {
      return status().failedByReason();
    }

    @Override
    public long getBytesWritten() {
      return status().bytesWritten();
    }

    @Override
    public long getQueueBytes() {
      return status().queueBytes();
    }

    @Override
    public long getQueueHighWaterBytes() {
      return status().queueHighWater();
    }

    @Override
    public long getQueueCapacityBytes() {
      return status().queueCapacity();
    }

    @Override
    public int getQueueLength() {
      return status().queueLength();
    }

    @Override
    public Map<String, Long> getRequestTime() {
      long[] counts = status().requestTime().counts();
      Map<String, Long> classes = new LinkedHashMap<>();
      for (int i = 0; i < counts.length; i++) {
        if (counts[i] > 0) {
          classes.put("<= " + TimeHistogram.Snapshot.upperMicros(i) + " us", counts[i]);
        }
      }
      return classes;
    }

    @Override
    public long getRequestTimeMedianMicros() {
      return status().requestTime().quantileMicros(0.5);
    }

    @Override
    public long getRequestTime99PercentMicros() {
      return status().requestTime().quantileMicros(0.99);
    }
  }
}
