package io.camhook.ort;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/** Passes waiting for the worker, limited by the bytes that they hold. Thread-safe. */
final class Backlog {
  private final SideWorker worker;
  private final long capacity;
  private final AtomicLong held = new AtomicLong();
  private final AtomicLong waiting = new AtomicLong();

  /**
   * @param capacity bytes that may wait
   */
  Backlog(SideWorker worker, long capacity) {
    this.worker = worker;
    this.capacity = capacity;
  }

  /**
   * Leaves a pass to the worker.
   *
   * @return false if there is no room, or the worker has ended
   */
  boolean add(long bytes, Runnable pass) {
    if (held.addAndGet(bytes) > capacity) {
      held.addAndGet(-bytes);
      return false;
    }
    waiting.incrementAndGet();
    try {
      worker.later(
          () -> {
            try {
              pass.run();
            } finally {
              done(bytes);
            }
          });
      return true;
    } catch (RejectedExecutionException e) {
      done(bytes);
      return false;
    }
  }

  private void done(long bytes) {
    held.addAndGet(-bytes);
    waiting.decrementAndGet();
  }

  /** Passes that are waiting or running. */
  long waiting() {
    return waiting.get();
  }
}
