package io.camhook.cam;

import java.util.Set;

/**
 * Seg-Eigen-CAM: {@link EigenCam} with {@code |g| * A} in place of A, and the sign for which {@code
 * max(raw) >= -min(raw)} (equation 13).
 *
 * <p>Chung and Ying, "Seg-Eigen-CAM: Eigen-Value-Based Visual Explanations for Semantic
 * Segmentation Models", Applied Sciences 15(13), 2025. Follows pytorch-grad-cam.
 */
final class SegEigenCam implements CamMethod {

  @Override
  public String id() {
    return "segeigencam";
  }

  @Override
  public String title() {
    return "SegEigen-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public FloatMap raw(LayerSample sample) {
    float[] g = sample.requireGradient(id());
    float[] a = sample.activation();
    float[] x = new float[a.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.abs(g[i]) * a[i];
    }
    FloatMap map = sample.map(PrincipalComponent.linear(x, sample.channels()));
    return -map.min() > map.max() ? map.negated() : map;
  }
}
