package io.camhook.cam;

import java.util.Set;

/**
 * HiResCAM: {@code raw = sum_k g_k * A_k}, elementwise.
 *
 * <p>Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of
 * convolutional neural networks", 2020 (arXiv 2011.08891). Follows pytorch-grad-cam; torchcam has
 * none.
 */
final class HiResCam implements ChannelSum {

  @Override
  public String id() {
    return "hirescam";
  }

  @Override
  public String title() {
    return "HiResCAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public float[] terms(LayerSample sample) {
    return Channels.product(sample.requireGradient(id()), sample.activation());
  }
}
