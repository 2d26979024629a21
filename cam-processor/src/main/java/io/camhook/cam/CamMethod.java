package io.camhook.cam;

import java.util.Optional;
import java.util.Set;

/**
 * A CAM method that is a pure function of one layer's activation and gradient (and, for a few, of
 * one more array). Implementations are immutable and thread-safe.
 */
public interface CamMethod {

  /** The name that users write, for example {@code gradcam++}. */
  String id();

  /** The usual name in the literature, for example {@code Grad-CAM++}. */
  String title();

  /** The data that a {@link LayerSample} must contain. */
  Set<Requirement> needs();

  /**
   * The map before ReLU and scaling, of the layer's spatial shape.
   *
   * @throws CamException if something in {@link #needs()} is missing
   */
  FloatMap raw(LayerSample sample);

  /**
   * The same for sample {@code index} of a recorded layer.
   *
   * @param inputShape shape of the model's input, batch first; empty if unknown
   * @throws CamException if something in {@link #needs()} is missing, the layer has no spatial
   *     extent, or it holds NaN or infinite values
   */
  default FloatMap raw(LayerTensors layer, int index, long[] inputShape) {
    return raw(layer.sample(index, inputShape));
  }

  /** The aggregation over layers that the method prescribes; empty if any may be used. */
  default Optional<Aggregation> aggregation() {
    return Optional.empty();
  }
}
