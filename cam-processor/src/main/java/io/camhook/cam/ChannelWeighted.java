package io.camhook.cam;

/** A method with one weight per channel: {@code raw = sum_k w_k A_k}. */
public interface ChannelWeighted extends ChannelSum {

  /**
   * The weights, {@code [C]}.
   *
   * @throws CamException if something in {@link #needs()} is missing
   */
  double[] weights(LayerSample sample);

  @Override
  default float[] terms(LayerSample sample) {
    double[] weights = weights(sample);
    float[] a = sample.activation();
    int positions = sample.positions();
    float[] terms = new float[a.length];
    for (int k = 0, i = 0; k < weights.length; k++) {
      for (int p = 0; p < positions; p++, i++) {
        terms[i] = (float) (weights[k] * a[i]);
      }
    }
    return terms;
  }

  @Override
  default FloatMap raw(LayerSample sample) {
    return weightedSum(sample, weights(sample));
  }

  /** {@code sum_k w_k A_k}. */
  static FloatMap weightedSum(LayerSample sample, double[] weights) {
    float[] a = sample.activation();
    int positions = sample.positions();
    double[] sum = new double[positions];
    int k = 0;
    // Four channels at a time, so that the sums are read and written a quarter as often.
    for (; k + 3 < weights.length; k += 4) {
      int i0 = k * positions;
      int i1 = i0 + positions;
      int i2 = i1 + positions;
      int i3 = i2 + positions;
      for (int p = 0; p < positions; p++) {
        sum[p] +=
            (weights[k] * a[i0 + p] + weights[k + 1] * a[i1 + p])
                + (weights[k + 2] * a[i2 + p] + weights[k + 3] * a[i3 + p]);
      }
    }
    for (; k < weights.length; k++) {
      for (int p = 0; p < positions; p++) {
        sum[p] += weights[k] * a[k * positions + p];
      }
    }
    return sample.map(sum);
  }
}
