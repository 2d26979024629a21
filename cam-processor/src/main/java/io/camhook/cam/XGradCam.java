package io.camhook.cam;

import java.util.Set;

/**
 * XGrad-CAM: {@code w_k = sum_ij g A / (sum_ij A_k + 1e-7)}; {@code raw = sum_k w_k A_k}.
 *
 * <p>Fu et al., "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs",
 * BMVC 2020. pytorch-grad-cam's epsilon; torchcam's is 1e-8.
 */
final class XGradCam implements ChannelWeighted {
  private static final double EPSILON = 1e-7;

  @Override
  public String id() {
    return "xgradcam";
  }

  @Override
  public String title() {
    return "XGrad-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] g = sample.requireGradient(id());
    float[] a = sample.activation();
    int positions = sample.positions();
    double[] weights = new double[sample.channels()];
    for (int k = 0, i = 0; k < weights.length; k++) {
      double product = 0;
      double activity = 0;
      for (int p = 0; p < positions; p++, i++) {
        product += (double) g[i] * a[i];
        activity += a[i];
      }
      weights[k] = product / (activity + EPSILON);
    }
    return weights;
  }
}
