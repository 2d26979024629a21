package io.camhook.cam;

import java.util.Set;

/**
 * KPCA-CAM: the first component of kernel PCA, with the sigmoid kernel {@code tanh(x.y / C + 1)},
 * of A as a column-centred matrix of positions by channels; the component is the eigenvector of the
 * centred kernel matrix times the root of its eigenvalue. Independent of the target.
 *
 * <p>Karmani et al., "KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel
 * PCA", MMSP 2024. Follows pytorch-grad-cam except for the sign ({@link PrincipalComponent}).
 */
final class KpcaCam implements CamMethod {
  /** The kernel matrix of this many positions takes 128 MiB. */
  private static final int MOST_POSITIONS = 4096;

  @Override
  public String id() {
    return "kpcacam";
  }

  @Override
  public String title() {
    return "KPCA-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION);
  }

  @Override
  public FloatMap raw(LayerSample sample) {
    if (sample.positions() > MOST_POSITIONS) {
      throw new CamException(
          "kpcacam compares every position with every other, at most %d of them, and layer %s has %d; choose a later layer, or eigencam"
              .formatted(MOST_POSITIONS, sample.path(), sample.positions()));
    }
    return sample.map(PrincipalComponent.sigmoidKernel(sample.activation(), sample.channels()));
  }
}
