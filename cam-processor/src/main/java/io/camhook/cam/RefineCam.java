package io.camhook.cam;

import java.util.Optional;
import java.util.Set;

/**
 * RefineCAM: Grad-CAM++ of every layer, each scaled to 0..1 and resized to the input, multiplied
 * over the layers ({@link Aggregation#PRODUCT}). With one layer it is Grad-CAM++.
 *
 * <p>Domeniconi et al., "How to Evaluate and Refine your CAM", 2026 (arXiv 2605.14641). Follows
 * pytorch-grad-cam.
 */
final class RefineCam implements ChannelWeighted {
  private final GradCamPlusPlus base = new GradCamPlusPlus();

  @Override
  public String id() {
    return "refinecam";
  }

  @Override
  public String title() {
    return "RefineCAM";
  }

  @Override
  public Set<Requirement> needs() {
    return base.needs();
  }

  @Override
  public Optional<Aggregation> aggregation() {
    return Optional.of(Aggregation.PRODUCT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    sample.requireGradient(id());
    return base.weights(sample);
  }
}
