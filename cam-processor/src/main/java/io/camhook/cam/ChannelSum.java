package io.camhook.cam;

/**
 * A method whose map is a sum over channels of terms {@code t_k}, which is what eigen smoothing
 * needs to know: it takes the first principal component of the terms in place of their sum.
 */
public interface ChannelSum extends CamMethod {

  /** The terms, {@code [C, P]}. */
  float[] terms(LayerSample sample);

  @Override
  default FloatMap raw(LayerSample sample) {
    float[] terms = terms(sample);
    int positions = sample.positions();
    double[] sum = new double[positions];
    for (int k = 0, i = 0; k < sample.channels(); k++) {
      for (int p = 0; p < positions; p++, i++) {
        sum[p] += terms[i];
      }
    }
    return sample.map(sum);
  }
}
