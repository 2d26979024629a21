package io.camhook.capture;

import java.time.Duration;

/*
 * Closed, everything goes through. A failure opens it; while it is open, one attempt is made after each
 * delay, and the delay doubles up to half a minute. The first success closes it. Times are those of
 * System.nanoTime, which no change of the clock moves.
 */
/** Decides when to retry a failing output. Guarded by the queue's lock. */
final class Breaker {
  private static final long FIRST_DELAY = Duration.ofMillis(100).toNanos();
  private static final long LONGEST_DELAY = Duration.ofSeconds(30).toNanos();

  private boolean open;
  private long openedAt;
  private long delay;
  private long retryAt;

  void failed(long now) {
    if (!open) {
      open = true;
      openedAt = now;
      delay = FIRST_DELAY;
    } else {
      delay = Math.min(LONGEST_DELAY, 2 * delay);
    }
    retryAt = now + delay;
  }

  /** Returns how long it was open; zero if it was not. */
  Duration closed(long now) {
    Duration downtime = open ? Duration.ofNanos(now - openedAt) : Duration.ZERO;
    open = false;
    return downtime;
  }

  boolean isOpen() {
    return open;
  }

  /** Nanoseconds until the next attempt; 0 or less if it is due. */
  long untilRetry(long now) {
    return open ? retryAt - now : 0;
  }
}
