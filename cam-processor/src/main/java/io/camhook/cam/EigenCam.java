package io.camhook.cam;

import java.util.Set;

/**
 * Eigen-CAM: A as a matrix of positions by channels, column means removed; {@code raw = X v1} with
 * v1 its first right singular vector. Independent of the target.
 *
 * <p>Muhammad and Yeasin, "Eigen-CAM: Class Activation Map using Principal Components", IJCNN 2020.
 * Follows pytorch-grad-cam except for the sign, which depends on LAPACK there; ours is that of
 * {@link PrincipalComponent}.
 */
final class EigenCam implements CamMethod {

  @Override
  public String id() {
    return "eigencam";
  }

  @Override
  public String title() {
    return "Eigen-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION);
  }

  @Override
  public FloatMap raw(LayerSample sample) {
    return sample.map(PrincipalComponent.linear(sample.activation(), sample.channels()));
  }
}
