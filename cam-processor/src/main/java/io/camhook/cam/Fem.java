package io.camhook.cam;

import java.util.Set;

/**
 * FEM: {@code w_k} = fraction of positions with {@code A_k > mean(A_k) + 2 std(A_k)}, population
 * standard deviation; {@code raw = sum_k w_k A_k}. Independent of the target.
 *
 * <p>Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video", IPTA 2020.
 * Follows pytorch-grad-cam, which weighs the activation itself; the paper weighs the binary map.
 */
final class Fem implements ChannelWeighted {
  private static final double SIGMAS = 2;

  @Override
  public String id() {
    return "fem";
  }

  @Override
  public String title() {
    return "FEM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] a = sample.activation();
    int positions = sample.positions();
    double[] means = Channels.means(a, sample.channels());
    double[] weights = new double[means.length];
    for (int k = 0; k < weights.length; k++) {
      int from = k * positions;
      double variance = 0;
      for (int i = from; i < from + positions; i++) {
        variance += (a[i] - means[k]) * (a[i] - means[k]) / positions;
      }
      double threshold = means[k] + SIGMAS * Math.sqrt(variance);
      int above = 0;
      for (int i = from; i < from + positions; i++) {
        above += a[i] > threshold ? 1 : 0;
      }
      weights[k] = (double) above / positions;
    }
    return weights;
  }
}
