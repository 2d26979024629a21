package io.camhook.cam;

import java.util.Arrays;
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
  private static final int BLOCK = 2048;

  @Override
  public String id() {
    return "gradcam++";
  }

  @Override
  public String title() {
    return "Grad-CAM++";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] g = sample.requireGradient(id());
    double[] activity = Channels.sums(sample.activation(), sample.channels());
    int positions = sample.positions();
    // Several channels at a time, since the positions of one are too few to keep the processor's
    // wide divisions busy; all of them at once would not stay in its nearest cache.
    int block = Math.max(1, BLOCK / positions);
    float[] active = new float[block * positions];
    float[] gradient = new float[block * positions];
    float[] terms = new float[block * positions];
    double[] weights = new double[activity.length];
    for (int first = 0; first < weights.length; first += block) {
      int channels = Math.min(block, weights.length - first);
      for (int k = 0; k < channels; k++) {
        Arrays.fill(active, k * positions, (k + 1) * positions, (float) activity[first + k]);
      }
      System.arraycopy(g, first * positions, gradient, 0, channels * positions);
      terms(gradient, active, terms);
      Channels.sums(terms, positions, channels, weights, first);
    }
    return weights;
  }

  /**
   * Where g <= 0 the factor max(g, 0) is 0. No branch, since gradients have no predictable sign,
   * and float32 as in PyTorch. One index for all arrays, else the compiler must expect that they
   * overlap, and divides one by one.
   */
  private static void terms(float[] gradient, float[] active, float[] terms) {
    for (int i = 0; i < terms.length; i++) {
      float positive = Math.max(gradient[i], 0f);
      float square = positive * positive;
      terms[i] = positive * square / (2 * square + active[i] * square * positive + EPSILON);
    }
  }
}
