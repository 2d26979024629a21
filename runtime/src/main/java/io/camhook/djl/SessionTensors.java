package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Between a session's tensors on the heap and the engine's. */
final class SessionTensors {
  private SessionTensors() {}

  static NDList arrays(List<Tensor> inputs, NDManager scratch) {
    NDList arrays = new NDList();
    inputs.forEach(input -> arrays.add(Tensors.toArray(input, scratch)));
    return arrays;
  }

  static List<Tensor> toTensors(List<NDArray> arrays, NDManager scratch) {
    return arrays.stream().map(array -> toTensor(array, scratch)).toList();
  }

  static Tensor toTensor(NDArray array, NDManager scratch) {
    try (NDArray plain = Tensors.detached(array, scratch)) {
      if (plain.getDataType() != DataType.UNKNOWN) {
        return Tensors.toTensor(plain);
      }
      // DJL does not know bfloat16, every value of which is a float32.
      try (NDArray wide = plain.toType(DataType.FLOAT32, false)) {
        return Tensors.toTensor(wide);
      }
    }
  }

  /** The output that targets are about: as a capture has it. */
  static NDArray scored(List<NDArray> outputs) {
    NDArray scores = Scores.among(outputs);
    if (scores != null) {
      return scores;
    }
    throw new IllegalArgumentException(
        "the model returns no floating-point tensor, so there is nothing to differentiate; use -t none");
  }

  /** The gradients of ⟨seed, output⟩; no entry for layers that it does not depend on. */
  static Map<LayerOutput, Tensor> gradients(
      NDArray output, Tensor seed, Map<LayerOutput, NDArray> layers, NDManager scratch) {
    Map<LayerOutput, Tensor> gradients = new LinkedHashMap<>();
    if (!Tensors.requiresGrad(output)) {
      return gradients;
    }
    List<NDArray> inputs = new ArrayList<>();
    List<LayerOutput> names = new ArrayList<>();
    layers.forEach(
        (layer, value) -> {
          if (Tensors.requiresGrad(value)) {
            inputs.add(value);
            names.add(layer);
          }
        });
    if (inputs.isEmpty()) {
      return gradients;
    }
    List<@Nullable NDArray> found = grad(output, inputs, seed, scratch);
    for (int i = 0; i < found.size(); i++) {
      NDArray gradient = found.get(i);
      if (gradient != null) {
        gradients.put(names.get(i), toTensor(gradient, scratch));
      }
    }
    return gradients;
  }

  /** The gradients of ⟨seed, output⟩; the graph stays. */
  static List<@Nullable NDArray> grad(
      NDArray output, List<NDArray> inputs, Tensor seed, NDManager scratch) {
    NDArray start = Tensors.inTypeOf(output, Tensors.toArray(seed, scratch), scratch);
    return AutogradGateway.instance().grad(scratch, List.of(output), inputs, List.of(start), true);
  }
}
