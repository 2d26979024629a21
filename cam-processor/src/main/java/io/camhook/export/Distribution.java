package io.camhook.export;

import org.jspecify.annotations.Nullable;

/**
 * A histogram for TensorBoard.
 *
 * @param limits upper edge of each bin, equal in width
 * @param counts numbers in each bin
 */
record Distribution(
    double min,
    double max,
    double count,
    double sum,
    double squares,
    double[] limits,
    double[] counts) {
  private static final int BINS = 30;

  /** The distribution of the finite values; null if there are none. */
  static @Nullable Distribution of(float[] values) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    double sum = 0;
    double squares = 0;
    int count = 0;
    for (float value : values) {
      if (Float.isFinite(value)) {
        min = Math.min(min, value);
        max = Math.max(max, value);
        sum += value;
        squares += (double) value * value;
        count++;
      }
    }
    if (count == 0) {
      return null;
    }
    int bins = min == max ? 1 : BINS;
    double[] limits = new double[bins];
    double[] counts = new double[bins];
    double width = (max - min) / bins;
    for (int i = 0; i < bins; i++) {
      limits[i] = i == bins - 1 ? max : min + (i + 1) * width;
    }
    for (float value : values) {
      if (Float.isFinite(value)) {
        int bin = bins == 1 ? 0 : Math.min(bins - 1, (int) ((value - min) / width));
        counts[bin]++;
      }
    }
    return new Distribution(min, max, count, sum, squares, limits, counts);
  }
}
