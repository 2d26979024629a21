package io.camhook.cam;

import java.util.Set;

/**
 * Grad-CAM: {@code w_k = mean_ij g_k}; {@code raw = sum_k w_k A_k}.
 *
 * <p>Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
 * Localization", ICCV 2017. pytorch-grad-cam and torchcam agree.
 */
final class GradCam implements ChannelWeighted {

  @Override
  public String id() {
    return "gradcam";
  }

  @Override
  public Set<Need> needs() {
    return Set.of(Need.ACTIVATION, Need.GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    return Channels.means(sample.requireGradient(id()), sample.channels());
  }
}
