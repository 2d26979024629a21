package io.camhook.capture;

import io.camhook.config.CamhookConfig.Sampling;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/*
 * `maxPerSecond` is a bucket of at most one second's worth of permits that fills with time. Instead of the
 * fill level it keeps the time at which the bucket would have been empty: a permit moves that time forward
 * by one interval, and is refused while the time lies in the future. One compare-and-set, no lock, nothing
 * allocated; a lost race is tried again.
 */
/** Decides which passes are captured. Thread-safe. */
public final class Sampler {
  private static final long SECOND = 1_000_000_000L;

  private final double rate;
  private final long every;
  private final AtomicLong passes = new AtomicLong();
  private final long interval;
  private final long burst;
  private final LongSupplier nanoTime;
  private final AtomicLong emptyAt;

  public Sampler(Sampling sampling) {
    this(sampling, System::nanoTime);
  }

  Sampler(Sampling sampling, LongSupplier nanoTime) {
    this.rate = sampling.rate();
    this.every = sampling.every();
    this.interval =
        Double.isInfinite(sampling.maxPerSecond())
            ? 0
            : (long) Math.ceil(SECOND / sampling.maxPerSecond());
    this.burst = Math.max(SECOND, interval);
    this.nanoTime = nanoTime;
    this.emptyAt = new AtomicLong(nanoTime.getAsLong() - burst);
  }

  /** Whether chance picks a pass. Ask this first: it costs next to nothing. */
  public boolean drawn() {
    return rate >= 1 || (rate > 0 && ThreadLocalRandom.current().nextDouble() < rate);
  }

  /**
   * Whether it is a pass's turn and the bound per second has room for one more; takes that room.
   */
  public boolean admitted() {
    if (every > 1 && passes.incrementAndGet() % every != 0) {
      return false;
    }
    if (interval == 0) {
      return true;
    }
    while (true) {
      long now = nanoTime.getAsLong();
      long before = emptyAt.get();
      long start = Math.max(before, now - burst);
      if (start + interval - now > 0) {
        return false;
      }
      if (emptyAt.compareAndSet(before, start + interval)) {
        return true;
      }
    }
  }
}
