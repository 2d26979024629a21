package io.camhook.capture;

import io.camhook.recording.Counters;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The state of this JVM's captures at one moment, for an operator.
 *
 * @param state what the recorder does
 * @param reason why it is paused or off; null otherwise
 * @param counters counters of the captures; waiting captures make up the difference
 * @param losses captures that were dropped or failed, by reason
 * @param sampled requests that were chosen to be captured
 * @param skipped how many of these had a result that did not meet {@code sampling.when}
 * @param bytesWritten bytes of the tensors that were written
 * @param queueBytes bytes that captures hold now, including the one being written
 * @param queueHighWater the most bytes that they have held at once
 * @param queueCapacity {@code limits.queue}
 * @param queueLength waiting captures
 * @param requestTime time that captures took on their requests' threads
 */
public record CaptureStatus(
    State state,
    @Nullable String reason,
    Counters counters,
    Map<Loss, Long> losses,
    long sampled,
    long skipped,
    long bytesWritten,
    long queueBytes,
    long queueHighWater,
    long queueCapacity,
    int queueLength,
    TimeHistogram.Snapshot requestTime) {
  /** What a recorder does. */
  public enum State {
    /** Nothing was captured yet. */
    IDLE,
    RECORDING,
    /** The output fails; it is tried again from time to time. */
    PAUSED,
    /** For good, because memory ran out. */
    OFF,
    CLOSED
  }

  static final CaptureStatus IDLE =
      new CaptureStatus(
          State.IDLE,
          null,
          Counters.NONE,
          Map.of(),
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          new TimeHistogram().snapshot());

  public CaptureStatus {
    losses = Map.copyOf(losses);
  }

  /** Captures that were given up, by reason in words. */
  public Map<String, Long> droppedByReason() {
    return Loss.byReason(losses, Loss.Kind.DROPPED);
  }

  /** Captures that were lost to an error, by reason in words. */
  public Map<String, Long> failedByReason() {
    return Loss.byReason(losses, Loss.Kind.FAILED);
  }

  /** All losses, by reason in words. */
  public Map<String, Long> lossesByReason() {
    return Loss.byReason(losses);
  }

  /** The counters in one line. */
  String inWords(String destination) {
    String line =
        "%d of %d captures written to %s, %d dropped, %d failed"
            .formatted(
                counters.written(),
                counters.fired(),
                destination,
                counters.dropped(),
                counters.failed());
    return losses.isEmpty()
        ? line
        : line
            + lossesByReason().entrySet().stream()
                .map(loss -> loss.getKey() + ": " + loss.getValue())
                .collect(Collectors.joining("; ", " (", ")"));
  }
}
