package io.camhook.cam;

import java.util.Set;

/**
 * Element-wise Grad-CAM: {@code raw = sum_k max(g_k * A_k, 0)}.
 *
 * <p>Pillai and Pirsiavash, "Explainable Models with Consistent Interpretations", AAAI 2021.
 * Follows pytorch-grad-cam; torchcam has none.
 */
final class GradCamElementWise implements ChannelSum {

  @Override
  public String id() {
    return "gradcam-elementwise";
  }

  @Override
  public String title() {
    return "Grad-CAM elementwise";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public float[] terms(LayerSample sample) {
    float[] terms = Channels.product(sample.requireGradient(id()), sample.activation());
    for (int i = 0; i < terms.length; i++) {
      terms[i] = Math.max(terms[i], 0f);
    }
    return terms;
  }
}
