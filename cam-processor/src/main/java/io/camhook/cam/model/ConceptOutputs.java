package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.FeatureFactorization;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The model's output for each concept of a {@link FeatureFactorization}, computed as if the layer
 * returned that concept at every position. With global average pooling and a linear layer this is
 * the classifier applied to the concept's vector, as in pytorch-grad-cam; but it works for any
 * network that can be resumed at the layer.
 */
public final class ConceptOutputs {

  private ConceptOutputs() {}

  /**
   * Runs the model from the layer on, once for all concepts.
   *
   * @param input {@code [1, …]}: the input that the layer's activation comes from
   * @param layer the layer that was factorized
   * @return per concept the model's output, row-major and without the batch dimension
   * @throws CamException if the model cannot be resumed there
   */
  public static List<float[]> of(
      ForwardModel model, Tensor input, LayerTensors layer, FeatureFactorization factorization) {
    Tensor activation = factorization.everywhere(layer, input.shape());
    float[] all = model.outputsFrom(layer.path(), activation, input).toFloats();
    int concepts = factorization.concepts().size();
    int size = all.length / concepts;
    List<float[]> outputs = new ArrayList<>();
    for (int k = 0; k < concepts; k++) {
      outputs.add(Arrays.copyOfRange(all, k * size, (k + 1) * size));
    }
    return outputs;
  }
}
