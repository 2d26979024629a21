package io.camhook.capture;

import io.camhook.recording.Capture;

/**
 * Learns how each capture ended, to show it to an operator. Exceptions from an observer are
 * ignored; calls come from several threads.
 */
public interface CaptureObserver extends AutoCloseable {
  /**
   * The first request is about to be captured, or a {@code stats} hook has seen the first layer. On
   * the writer's thread, once.
   */
  default void began(Recorder recorder) {}

  /** A capture has entered the queue. On the thread of its request. */
  default void submitted(PendingCapture capture) {}

  /**
   * Called when a capture was written, on the writer's thread or later on a sink's thread; its
   * tensors may have been freed.
   *
   * @param nanos time that writing it took
   */
  default void written(Capture capture, long nanos) {}

  /** A capture was lost after its request was admitted. */
  default void lost(Loss loss) {}

  /** Called every few seconds, on the writer's thread. */
  default void tick() {}

  /** Nothing is recorded any more. */
  @Override
  default void close() {}
}
