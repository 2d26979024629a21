package io.camhook.report;

/**
 * A histogram on a logarithmic axis of both signs: five bins per decade from 1e-4 to 1e4 on either
 * side of one bin for values around zero. Every layer has the same bins, so that histograms of
 * several steps can be added. Values beyond the range count in the outermost bins.
 */
final class Bins {
  private static final int PER_DECADE = 5;
  private static final int LOWEST = -4;
  private static final int DECADES = 8;
  private static final int SIDE = PER_DECADE * DECADES;

  /** 40 negative bins from large to small, zero, 40 positive from small to large. */
  static final int COUNT = 2 * SIDE + 1;

  /** Lower edges of the positive bins: a search in them is faster than a logarithm. */
  private static final float[] EDGES = edges();

  private Bins() {}

  static int[] of(float[] values) {
    int[] bins = new int[COUNT];
    for (float value : values) {
      if (Float.isFinite(value)) {
        bins[bin(value)]++;
      }
    }
    return bins;
  }

  private static int bin(float value) {
    if (value == 0) {
      return SIDE;
    }
    float size = Math.abs(value);
    int low = 0; // number of edges not above the size
    int high = SIDE;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (EDGES[middle] <= size) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return value < 0 ? SIDE - low : SIDE + low;
  }

  private static float[] edges() {
    float[] edges = new float[SIDE];
    for (int i = 0; i < SIDE; i++) {
      edges[i] = (float) Math.pow(10, LOWEST + (double) i / PER_DECADE);
    }
    return edges;
  }
}
