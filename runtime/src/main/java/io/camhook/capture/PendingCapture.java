package io.camhook.capture;

import io.camhook.recording.Capture;
import org.jspecify.annotations.Nullable;

/**
 * A capture whose tensors still live where the pass left them. Submitting it to a {@link
 * CaptureQueue} transfers ownership: the queue calls {@link #discard} exactly once in every case.
 */
public interface PendingCapture {
  /** The id that the capture will have; null if it is known only once the capture is made. */
  default @Nullable String id() {
    return null;
  }

  /** Bytes of memory that are held until {@link #discard}; the same value at every call. */
  long bytes();

  /**
   * The capture. Its tensors may be views of the memory that {@link #discard} frees, so that
   * nothing is copied; they are not used afterwards. Called at most once, on the writer thread.
   */
  Capture materialize();

  /**
   * Frees the tensors. Called on the writer thread, or on the submitting thread if the capture is
   * dropped.
   */
  void discard();
}
