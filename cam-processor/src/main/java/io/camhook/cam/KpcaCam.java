package io.camhook.cam;

import java.util.Set;

/**
 * KPCA-CAM: the first component of kernel PCA, with the sigmoid kernel {@code tanh(x.y / C + 1)},
 * of A as a column-centred matrix of positions by channels; the component is the eigenvector of the
 * centred kernel matrix times the root of its eigenvalue. Knows no target.
 *
 * <p>Karmani et al., "KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel
 * PCA", MMSP 2024. Follows pytorch-grad-cam but for the sign ({@link PrincipalComponent}).
 */
final class KpcaCam implements CamMethod {

  @Override
  public String id() {
    return "kpcacam";
  }

  @Override
  public Set<Need> needs() {
    return Set.of(Need.ACTIVATION);
  }

  @Override
  public FloatMap raw(LayerSample sample) {
    return sample.map(PrincipalComponent.sigmoidKernel(sample.activation(), sample.channels()));
  }
}
