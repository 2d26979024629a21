package io.camhook.cam;

import java.util.Set;

/**
 * Grad-CAM++: {@code a = g^2 / (2 g^2 + (sum_ij A_k) g^3 + 1e-6)}, 0 where g is 0; {@code w_k =
 * sum_ij max(g, 0) a}; {@code raw = sum_k w_k A_k}.
 *
 * <p>Chattopadhyay et al., "Grad-CAM++: Improved Visual Explanations for Deep Convolutional
 * Networks", WACV 2018. Follows pytorch-grad-cam; torchcam's GradCAMpp leaves its division without
 * effect, so that its weights are {@code sum_ij g^2 max(g, 0)}.
 */
final class GradCamPlusPlus implements ChannelWeighted {
  private static final double EPSILON = 1e-6;

  @Override
  public String id() {
    return "gradcam++";
  }

  @Override
  public Set<Need> needs() {
    return Set.of(Need.ACTIVATION, Need.GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] g = sample.requireGradient(id());
    double[] activity = Channels.sums(sample.activation(), sample.channels());
    int positions = sample.positions();
    double[] weights = new double[activity.length];
    for (int k = 0, i = 0; k < weights.length; k++) {
      double weight = 0;
      for (int p = 0; p < positions; p++, i++) {
        // Where g <= 0 the factor max(g, 0) is 0.
        if (g[i] > 0) {
          double square = (double) g[i] * g[i];
          weight += g[i] * square / (2 * square + activity[k] * square * g[i] + EPSILON);
        }
      }
      weights[k] = weight;
    }
    return weights;
  }
}
