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
  private static final float EPSILON = 1e-6f;

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
    float[] terms = new float[g.length];
    for (int k = 0; k < activity.length; k++) {
      int from = k * positions;
      float active = (float) activity[k];
      // Where g <= 0 the factor max(g, 0) is 0. No branch, since gradients have no predictable
      // sign,
      // and float32 as in PyTorch, apart from the sum: so the divisions are done several at a time.
      for (int p = 0; p < positions; p++) {
        float positive = Math.max(g[from + p], 0f);
        float square = positive * positive;
        terms[from + p] = positive * square / (2 * square + active * square * positive + EPSILON);
      }
    }
    return Channels.sums(terms, activity.length);
  }
}
