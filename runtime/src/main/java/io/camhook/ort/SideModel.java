package io.camhook.ort;

import io.camhook.recording.LayerOutput;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The inputs and outputs of a side session besides the model's own.
 *
 * @param taps the layers, in the order in which they are computed
 * @param seed name of the input that takes ∂score/∂output; null if there are no gradients
 * @param output name of the output that is differentiated; null if there is none
 * @param end the linear layer after the first layer that is followed by one; null if there is none
 */
record SideModel(
    List<Tap> taps, @Nullable String seed, @Nullable String output, @Nullable GemmHead end) {
  SideModel {
    taps = List.copyOf(taps);
  }

  /**
   * A layer.
   *
   * @param layer where it is in the model
   * @param type its operator
   * @param activation name of the output that is its value
   * @param gradient name of the output that is the gradient there; null if none flows
   * @param recorded whether captures contain it; otherwise only hooks see it
   */
  record Tap(
      LayerOutput layer,
      String type,
      String activation,
      @Nullable String gradient,
      boolean recorded) {}
}
