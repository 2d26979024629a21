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
    double[] weights = weights(sample);
    double[] sum = new double[sample.positions()];
    Channels.addWeighted(sample.activation(), weights, 0, weights.length, sum);
    return sample.map(sum);
  }
}
