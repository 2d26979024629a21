package io.camhook.render;

/**
 * Linear interpolation of row-major arrays of any rank (linear, bilinear, trilinear). With
 * half-pixel centres it is OpenCV's {@code INTER_LINEAR} and PyTorch's {@code align_corners=False}:
 * the source position of output {@code o} is {@code (o + 0.5) * in / out - 0.5}, clamped at the
 * edges. With aligned corners it is {@code o * (in - 1) / (out - 1)}. No smoothing when shrinking.
 */
public final class Bilinear {

  private Bilinear() {}

  /** Resizes with half-pixel centres; returns a new array. */
  public static float[] resize(float[] values, int[] from, int[] to) {
    return resize(values, from, to, false);
  }

  /** Resizes with aligned corners; returns a new array. */
  public static float[] resizeAligned(float[] values, int[] from, int[] to) {
    return resize(values, from, to, true);
  }

  private static float[] resize(float[] values, int[] from, int[] to, boolean aligned) {
    if (from.length != to.length) {
      throw new IllegalArgumentException(
          "cannot resize rank " + from.length + " to rank " + to.length);
    }
    float[] current = values;
    int inner = 1;
    for (int d = from.length - 1; d >= 0; d--) {
      int outer = 1;
      for (int e = 0; e < d; e++) {
        outer *= from[e];
      }
      current = axis(current, outer, from[d], to[d], inner, aligned);
      inner *= to[d];
    }
    return current == values ? values.clone() : current;
  }

  private static float[] axis(float[] in, int outer, int n, int size, int inner, boolean aligned) {
    if (n == size) {
      return in;
    }
    float[] out = new float[outer * size * inner];
    int[] lows = new int[size];
    float[] weights = new float[size];
    place(n, size, aligned, lows, weights);
    if (inner == 1) {
      lines(in, out, outer, n, lows, weights);
    } else {
      rows(in, out, outer, n, inner, lows, weights);
    }
    return out;
  }

  /** For each output position, the source position before it and the distance from there. */
  private static void place(int n, int size, boolean aligned, int[] lows, float[] weights) {
    for (int o = 0; o < size; o++) {
      double at =
          aligned
              ? (size == 1 ? 0 : o * (double) (n - 1) / (size - 1))
              : (o + 0.5) * n / size - 0.5;
      at = Math.max(0, Math.min(n - 1, at));
      lows[o] = (int) at;
      weights[o] = (float) (at - lows[o]);
    }
  }

  /** The last axis: line by line, as the results lie in memory. */
  private static void lines(
      float[] in, float[] out, int outer, int n, int[] lows, float[] weights) {
    for (int b = 0; b < outer; b++) {
      int from = b * n;
      int target = b * lows.length;
      for (int o = 0; o < lows.length; o++) {
        float low = in[from + lows[o]];
        float high = in[from + Math.min(lows[o] + 1, n - 1)];
        out[target + o] = low + weights[o] * (high - low);
      }
    }
  }

  /**
   * Another axis: one whole row of the inner dimensions at a time. Rows are copied to and from
   * short arrays, because the compiler uses vector instructions if all indices begin at 0.
   */
  private static void rows(
      float[] in, float[] out, int outer, int n, int inner, int[] lows, float[] weights) {
    float[] low = new float[inner];
    float[] high = new float[inner];
    float[] row = new float[inner];
    for (int b = 0; b < outer; b++) {
      for (int o = 0; o < lows.length; o++) {
        if (o == 0 || lows[o] != lows[o - 1]) {
          System.arraycopy(in, (b * n + lows[o]) * inner, low, 0, inner);
          System.arraycopy(in, (b * n + Math.min(lows[o] + 1, n - 1)) * inner, high, 0, inner);
        }
        between(low, high, weights[o], row);
        System.arraycopy(row, 0, out, (b * lows.length + o) * inner, inner);
      }
    }
  }

  private static void between(float[] low, float[] high, float weight, float[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = low[i] + weight * (high[i] - low[i]);
    }
  }

  /**
   * The smallest and the largest value in the result of {@link #resize} for an array of shape
   * {@code from}: along its first axis, values between two of the source rise or fall, so that the
   * extremes are in the first or last row of each step.
   *
   * @return two values; infinities for an array without values
   */
  public static float[] range(float[] resized, int[] from, int[] to) {
    int rows = to[0];
    int inner = rows == 0 ? 0 : resized.length / rows;
    int[] lows = new int[rows];
    place(from[0], rows, false, lows, new float[rows]);
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    for (int o = 0; o < rows; o++) {
      if (o == 0 || o == rows - 1 || lows[o] != lows[o - 1] || lows[o] != lows[o + 1]) {
        for (int i = o * inner; i < (o + 1) * inner; i++) {
          low = resized[i] < low ? resized[i] : low;
          high = resized[i] > high ? resized[i] : high;
        }
      }
    }
    return new float[] {low, high};
  }
}
