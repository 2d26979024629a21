package io.camhook.djl.session;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.pass.Scores;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Between a session's tensors on the heap and the engine's. */
final class SessionTensors {
  private SessionTensors() {}

  static NDList arrays(List<Tensor> inputs, NDManager scratch) {
    NDList arrays = new NDList();
    inputs.forEach(input -> arrays.add(Tensors.toArray(input, scratch)));
    return arrays;
  }

  /** What a model returned, in the order of {@link Scores#inOrder}. */
  static List<Tensor> outputs(List<NDArray> outputs, NDManager scratch) {
    return Scores.inOrder(outputs, null).stream().map(array -> toTensor(array, scratch)).toList();
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

  /** Zeros of the array's shape, as float32. */
  static Tensor zeros(NDArray array) {
    long[] shape = array.getShape().getShape();
    return Tensor.ofFloats(new float[Math.toIntExact(array.getShape().size())], shape);
  }

  /** The output that targets are about: as a capture has it. */
  static NDArray scored(List<NDArray> outputs) {
    NDArray scores = Scores.among(outputs);
    if (scores != null) {
      return scores;
    }
    throw new IllegalArgumentException(
        "the model returns no floating-point tensor, so there is nothing to differentiate; use -t"
            + " none");
  }

  /**
   * The gradients of ⟨seed, output⟩; no entry for layers that it does not depend on. Where an
   * operator has no derivative, those of the layers behind it.
   *
   * @param notices get what is to be said of that
   * @throws EngineException if an operator without a derivative leaves none of them
   */
  static Map<LayerOutput, Tensor> gradients(
      NDArray output,
      Tensor seed,
      Map<LayerOutput, NDArray> layers,
      NDManager scratch,
      Collection<String> notices) {
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
    List<@Nullable NDArray> found;
    try {
      found = grad(output, inputs, seed, scratch);
    } catch (EngineException e) {
      found = behindUndifferentiable(output, inputs, seed, scratch);
      if (found.stream().noneMatch(Objects::nonNull)) {
        throw e;
      }
      String why =
          String.valueOf(e.getMessage()).contains("modified by an inplace operation")
              ? "what an operator after them needs for its derivative, its own result, is changed"
                  + " in place by a later one (such as leaky_relu_ and then add_)"
              : "an operator after them has no derivative";
      notices.add(
          "%d of %d layers have no gradient: %s; the last of them is '%s'"
              .formatted(
                  Collections.frequency(found, null),
                  found.size(),
                  why,
                  names.get(found.lastIndexOf(null))));
    }
    for (int i = 0; i < found.size(); i++) {
      NDArray gradient = found.get(i);
      if (gradient != null) {
        gradients.put(names.get(i), toTensor(gradient, scratch));
      }
    }
    return gradients;
  }

  private static List<@Nullable NDArray> behindUndifferentiable(
      NDArray output, List<NDArray> inputs, Tensor seed, NDManager scratch) {
    List<@Nullable NDArray> found = new ArrayList<>();
    for (NDArray input : inputs) {
      try {
        found.addAll(grad(output, List.of(input), seed, scratch));
      } catch (EngineException inFront) {
        found.add(null);
      }
    }
    return found;
  }

  /** The gradients of ⟨seed, output⟩; the graph stays. */
  static List<@Nullable NDArray> grad(
      NDArray output, List<NDArray> inputs, Tensor seed, NDManager scratch) {
    NDArray start = Tensors.inTypeOf(output, Tensors.toArray(seed, scratch), scratch);
    return AutogradGateway.instance().grad(scratch, List.of(output), inputs, List.of(start), true);
  }
}
