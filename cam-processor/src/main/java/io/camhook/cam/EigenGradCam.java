package io.camhook.cam;

import java.util.Set;

/**
 * Eigen-Grad-CAM: {@link EigenCam} with {@code g * A} in place of A, which makes it depend on the
 * target.
 *
 * <p>Follows pytorch-grad-cam, where it comes from, except for the sign ({@link
 * PrincipalComponent}); after Muhammad and Yeasin, IJCNN 2020.
 */
final class EigenGradCam implements CamMethod {

  @Override
  public String id() {
    return "eigengradcam";
  }

  @Override
  public String title() {
    return "EigenGrad-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public FloatMap raw(LayerSample sample) {
    float[] product = Channels.product(sample.requireGradient(id()), sample.activation());
    return sample.map(PrincipalComponent.linear(product, sample.channels()));
  }
}
