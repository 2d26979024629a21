package io.camhook.capture;

/**
 * Leave to capture one request. It holds room in the queue for what the request will submit, until
 * it is closed at the request's end. Used by the request's thread.
 */
public final class Admission implements AutoCloseable {
  private final CaptureQueue queue;
  private final long bytes;
  private long nanos;
  private boolean closed;

  Admission(CaptureQueue queue, long bytes) {
    this.queue = queue;
    this.bytes = bytes;
  }

  /** Capturing has taken that long on this thread, beside the application's own work. */
  public void took(long nanos) {
    this.nanos += nanos;
  }

  /** The request was not captured after all, because of its result. */
  public void skipped() {
    queue.skipped();
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      queue.ended(bytes, nanos);
    }
  }
}
