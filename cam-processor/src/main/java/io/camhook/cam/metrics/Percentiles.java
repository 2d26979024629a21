package io.camhook.cam.metrics;

import java.util.Arrays;

/** Percentiles with linear interpolation, NumPy's default. */
final class Percentiles {

  private Percentiles() {}

  static double of(float[] values, double percent) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    double at = percent / 100 * (sorted.length - 1);
    int low = (int) Math.floor(at);
    int high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * ((double) sorted[high] - sorted[low]);
  }
}
