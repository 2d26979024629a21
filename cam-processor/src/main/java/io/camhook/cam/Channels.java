package io.camhook.cam;

/** Sums over a {@code [C, P]} array, in double precision. */
final class Channels {

  private Channels() {}

  /** {@code sum_p x[k,p]}. */
  static double[] sums(float[] x, int channels) {
    double[] sums = new double[channels];
    sums(x, x.length / channels, channels, sums, 0);
    return sums;
  }

  /** {@code out[at + k] = sum_p x[k,p]} of the first channels of x. */
  static void sums(float[] x, int positions, int channels, double[] out, int at) {
    for (int k = 0; k < channels; k++) {
      // Four sums of pairs at a time: one alone waits for each addition before the next.
      int i = k * positions;
      int end = i + positions;
      double s0 = 0;
      double s1 = 0;
      double s2 = 0;
      double s3 = 0;
      for (; i + 7 < end; i += 8) {
        s0 += (double) x[i] + x[i + 1];
        s1 += (double) x[i + 2] + x[i + 3];
        s2 += (double) x[i + 4] + x[i + 5];
        s3 += (double) x[i + 6] + x[i + 7];
      }
      for (; i < end; i++) {
        s0 += x[i];
      }
      out[at + k] = (s0 + s1) + (s2 + s3);
    }
  }

  /** {@code mean_p x[k,p]}. */
  static double[] means(float[] x, int channels) {
    double[] means = sums(x, channels);
    int positions = x.length / channels;
    for (int k = 0; k < channels; k++) {
      means[k] /= positions;
    }
    return means;
  }

  /**
   * {@code sum[p] += sum_k w[first + k] x[k,p]} over the first {@code count} channels of x; P is
   * the length of {@code sum}.
   */
  static void addWeighted(float[] x, double[] weights, int first, int count, double[] sum) {
    int positions = sum.length;
    int k = 0;
    // Four channels at a time, so that the sums are read and written a quarter as often.
    for (; k + 3 < count; k += 4) {
      int i0 = k * positions;
      int i1 = i0 + positions;
      int i2 = i1 + positions;
      int i3 = i2 + positions;
      double w0 = weights[first + k];
      double w1 = weights[first + k + 1];
      double w2 = weights[first + k + 2];
      double w3 = weights[first + k + 3];
      for (int p = 0; p < positions; p++) {
        sum[p] += (w0 * x[i0 + p] + w1 * x[i1 + p]) + (w2 * x[i2 + p] + w3 * x[i3 + p]);
      }
    }
    for (; k < count; k++) {
      for (int p = 0; p < positions; p++) {
        sum[p] += weights[first + k] * x[k * positions + p];
      }
    }
  }

  /** {@code x * y} elementwise. */
  static float[] product(float[] x, float[] y) {
    float[] out = new float[x.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = x[i] * y[i];
    }
    return out;
  }
}
