package io.camhook.capture;

/**
 * Permission to capture one request. It reserves room in the queue for the captures of that request
 * until it is closed at the request's end. Used by the request's thread.
 */
public final class Admission implements AutoCloseable {
  private final CaptureQueue queue;
  private final long bytes;
  private boolean closed;

  Admission(CaptureQueue queue, long bytes) {
    this.queue = queue;
    this.bytes = bytes;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      queue.ended(bytes);
    }
  }
}
