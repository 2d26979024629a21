package io.camhook.cam;

/** Sums over the positions of each channel of a {@code [C, P]} array, in double precision. */
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
      // Four sums at a time: one alone waits for each addition before the next.
      int i = k * positions;
      int end = i + positions;
      double s0 = 0;
      double s1 = 0;
      double s2 = 0;
      double s3 = 0;
      for (; i + 3 < end; i += 4) {
        s0 += x[i];
        s1 += x[i + 1];
        s2 += x[i + 2];
        s3 += x[i + 3];
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

  /** {@code x * y} elementwise. */
  static float[] product(float[] x, float[] y) {
    float[] out = new float[x.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = x[i] * y[i];
    }
    return out;
  }
}
