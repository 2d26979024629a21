package io.camhook.cam;

import java.util.Set;

/**
 * LayerCAM: {@code raw = sum_k max(g_k, 0) * A_k}, elementwise.
 *
 * <p>Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE
 * TIP 2021. pytorch-grad-cam and torchcam agree; the paper's fusion of several layers is {@link
 * Aggregation#SCALED_MAX}.
 */
final class LayerCam implements ChannelSum {

  @Override
  public String id() {
    return "layercam";
  }

  @Override
  public String title() {
    return "LayerCAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public float[] terms(LayerSample sample) {
    float[] g = sample.requireGradient(id());
    float[] a = sample.activation();
    float[] terms = new float[a.length];
    for (int i = 0; i < terms.length; i++) {
      terms[i] = Math.max(g[i], 0f) * a[i];
    }
    return terms;
  }
}
