package io.camhook.capture;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A histogram of times with bins that double: up to 1 µs, 2 µs, 4 µs … 36 minutes, and more.
 * Thread-safe.
 */
public final class TimeHistogram {
  private static final int CLASSES = 33;

  private final AtomicLongArray counts = new AtomicLongArray(CLASSES);

  void add(long nanos) {
    counts.incrementAndGet(classOf(nanos));
  }

  /** The class with the smallest upper bound that is not below {@code nanos}. */
  private static int classOf(long nanos) {
    long micros = (Math.max(0, nanos) + 999) / 1000;
    return micros <= 1
        ? 0
        : Math.min(CLASSES - 1, Long.SIZE - Long.numberOfLeadingZeros(micros - 1));
  }

  Snapshot snapshot() {
    long[] read = new long[CLASSES];
    for (int i = 0; i < CLASSES; i++) {
      read[i] = counts.get(i);
    }
    return new Snapshot(read);
  }

  /** The counts at one moment. */
  public static final class Snapshot {
    private final long[] counts;

    Snapshot(long[] counts) {
      this.counts = counts;
    }

    /** Number of measured times. */
    public long count() {
      return Arrays.stream(counts).sum();
    }

    /** Number of times of each class, the shortest first. */
    public long[] counts() {
      return counts.clone();
    }

    /** Longest time of a class, in microseconds. */
    public static long upperMicros(int index) {
      return 1L << index;
    }

    /**
     * A time that {@code share} of the measured ones did not exceed, in microseconds: the upper
     * bound of its class. 0 if none was measured.
     */
    public long quantileMicros(double share) {
      long wanted = (long) Math.ceil(share * count());
      long seen = 0;
      for (int i = 0; i < counts.length; i++) {
        seen += counts[i];
        if (seen >= wanted && seen > 0) {
          return upperMicros(i);
        }
      }
      return 0;
    }
  }
}
