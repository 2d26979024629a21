package io.camhook.cam;

import java.util.Set;

/**
 * Finer-CAM: Grad-CAM with the gradient of a target that separates a class from the classes most
 * similar to it, {@code sum_j p_j (s_c - s_j) / (sum_j p_j + 1e-9)} with j the three classes whose
 * logits are nearest to that of c and p the softmax probabilities (see {@code FinerWeighted}).
 *
 * <p>Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual
 * Explanation", CVPR 2025. Follows pytorch-grad-cam: the gradient also flows through p.
 */
final class FinerCam implements ChannelWeighted {

  @Override
  public String id() {
    return "finercam";
  }

  @Override
  public String title() {
    return "FinerCAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.FINER_GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] g = sample.finerGradient();
    if (g == null) {
      throw Requirement.FINER_GRADIENT.missing(id(), sample.path());
    }
    return Channels.means(g, sample.channels());
  }
}
