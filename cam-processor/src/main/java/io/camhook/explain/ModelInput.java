package io.camhook.explain;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a model is fed once.
 *
 * @param name unique among the inputs of a run, and safe as the beginning of a file name
 * @param tensors the model's arguments, each with its batch dimension
 * @param picture the picture that the first tensor was made of; null if it was none
 */
public record ModelInput(String name, List<Tensor> tensors, @Nullable Picture picture) {
  public ModelInput {
    tensors = List.copyOf(tensors);
  }

  /** An input without a picture. */
  public static ModelInput of(String name, Tensor... tensors) {
    return new ModelInput(name, List.of(tensors), null);
  }
}
