package io.camhook.cam;

import java.util.Set;

/**
 * Shapley-CAM: {@code w_k = mean_ij (g - H A / 2)} with H A the product of the Hessian of the score
 * with respect to A, and A; {@code raw = sum_k w_k A_k}.
 *
 * <p>Cai, "CAMs as Shapley Value-based Explainers", 2025 (arXiv 2501.06261). Follows
 * pytorch-grad-cam.
 *
 * <p>The product needs double backward and therefore the model. If the score is linear in A, the
 * product is 0 and the method equals Grad-CAM. This is known to hold if the target's classifier row
 * is recorded and g at every position is that row divided by the number of positions (global
 * average pooling and a linear layer). Only then is a recording without the product sufficient.
 */
final class ShapleyCam implements ChannelWeighted {
  private static final double LINEAR_TOLERANCE = 1e-4;

  @Override
  public String id() {
    return "shapleycam";
  }

  @Override
  public String title() {
    return "ShapleyCAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT, Requirement.CURVATURE);
  }

  @Override
  public double[] weights(LayerSample sample) {
    double[] weights = Channels.means(sample.requireGradient(id()), sample.channels());
    float[] product = sample.curvature();
    if (product != null) {
      double[] curvature = Channels.means(product, sample.channels());
      for (int k = 0; k < weights.length; k++) {
        weights[k] -= curvature[k] / 2;
      }
    } else if (!isLinearHead(sample)) {
      throw Requirement.CURVATURE.missing(id(), sample.path());
    }
    return weights;
  }

  private static boolean isLinearHead(LayerSample sample) {
    float[] g = sample.gradient();
    float[] row = sample.classifierRow();
    if (g == null || row == null) {
      return false;
    }
    int positions = sample.positions();
    double largest = 0;
    for (float w : row) {
      largest = Math.max(largest, Math.abs(w) / positions);
    }
    for (int i = 0; i < g.length; i++) {
      if (Math.abs(g[i] - row[i / positions] / positions) > LINEAR_TOLERANCE * largest) {
        return false;
      }
    }
    return true;
  }
}
