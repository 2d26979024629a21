package io.camhook.ort;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/** Passes waiting for the worker, limited by the bytes that they hold. Thread-safe. */
final class Backlog {
  private final SideWorker worker;
  private final long capacity;
  private final AtomicLong held = new AtomicLong();
  private final AtomicLong captures = new AtomicLong();

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
   * @param captured whether it becomes a capture, and is not only looked at
   * @return false if there is no room, or the worker has ended
   */
  boolean add(long bytes, boolean captured, Runnable pass) {
    if (held.addAndGet(bytes) > capacity) {
      held.addAndGet(-bytes);
      return false;
    }
    int captures = captured ? 1 : 0;
    this.captures.addAndGet(captures);
    try {
      worker.later(
          () -> {
            try {
              pass.run();
            } finally {
              done(bytes, captures);
            }
          });
      return true;
    } catch (RejectedExecutionException e) {
      done(bytes, captures);
      return false;
    }
  }

  private void done(long bytes, int captures) {
    held.addAndGet(-bytes);
    this.captures.addAndGet(-captures);
  }

  /** Passes that become captures and wait, or are under way. */
  long captures() {
    return captures.get();
  }
}
