package io.camhook.builtin;

import java.util.Locale;

/**
 * Statistics of a tensor. All but {@code nonFinite} are over its finite values.
 *
 * @param count number of elements
 * @param mean arithmetic mean
 * @param std standard deviation of the population (divided by n)
 * @param min least value
 * @param max greatest value
 * @param zeros share of values that are exactly 0, from 0 to 1
 * @param norm Euclidean norm
 * @param nonFinite number of NaN and infinite values
 */
public record Summary(
    long count,
    double mean,
    double std,
    double min,
    double max,
    double zeros,
    double norm,
    long nonFinite) {

  /** Summarises all values together; NaN if there is no finite value. */
  public static Summary of(float[] values) {
    long finite = 0;
    long zeros = 0;
    double sum = 0;
    double squares = 0;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (float value : values) {
      if (Float.isFinite(value)) {
        finite++;
        sum += value;
        squares += (double) value * value;
        min = Math.min(min, value);
        max = Math.max(max, value);
        zeros += value == 0 ? 1 : 0;
      }
    }
    if (finite == 0) {
      double none = Double.NaN;
      return new Summary(values.length, none, none, none, none, none, none, values.length);
    }
    double mean = sum / finite;
    return new Summary(
        values.length,
        mean,
        Math.sqrt(deviations(values, mean) / finite),
        min,
        max,
        (double) zeros / finite,
        Math.sqrt(squares),
        values.length - finite);
  }

  /** A second pass: the difference of two sums of squares would lose all digits. */
  private static double deviations(float[] values, double mean) {
    double sum = 0;
    for (float value : values) {
      if (Float.isFinite(value)) {
        sum += (value - mean) * (value - mean);
      }
    }
    return sum;
  }

  @Override
  public String toString() {
    String text =
        String.format(
            Locale.ROOT,
            "mean %.4g std %.4g min %.4g max %.4g zeros %.1f %% norm %.4g",
            mean,
            std,
            min,
            max,
            100 * zeros,
            norm);
    return nonFinite == 0 ? text : text + " NaN or infinite " + nonFinite;
  }
}
