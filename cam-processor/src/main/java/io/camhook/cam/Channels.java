package io.camhook.cam;

/** Sums over the positions of each channel of a {@code [C, P]} array, in double precision. */
final class Channels {

  private Channels() {}

  /** {@code sum_p x[k,p]}. */
  static double[] sums(float[] x, int channels) {
    int positions = x.length / channels;
    double[] sums = new double[channels];
    for (int k = 0, i = 0; k < channels; k++) {
      double sum = 0;
      for (int p = 0; p < positions; p++, i++) {
        sum += x[i];
      }
      sums[k] = sum;
    }
    return sums;
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
