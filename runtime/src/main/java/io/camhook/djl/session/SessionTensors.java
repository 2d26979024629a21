package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.pass.Scores;
import io.camhook.recording.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Converts between a session's tensors on the heap and the engine's arrays. */
final class SessionTensors {
  private SessionTensors() {}

  static NDList arrays(List<Tensor> inputs, NDManager scratch) {
    NDList arrays = new NDList();
    inputs.forEach(input -> arrays.add(Tensors.toArray(input, scratch)));
    return arrays;
  }

  /** A model's outputs, in the order of {@link Scores#inOrder}. */
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

  /** The output that targets refer to, as in a capture. */
  static NDArray scored(List<NDArray> outputs) {
    NDArray scores = Scores.among(outputs);
    if (scores != null) {
      return scores;
    }
    throw new IllegalArgumentException(
        "the model returns no floating-point tensor, so there is nothing to differentiate; use -t"
            + " none");
  }

  /** The gradients of ⟨seed, output⟩; the graph stays. */
  static List<@Nullable NDArray> grad(
      NDArray output, List<NDArray> inputs, Tensor seed, NDManager scratch) {
    NDArray start = Tensors.inTypeOf(output, Tensors.toArray(seed, scratch), scratch);
    return AutogradGateway.instance().grad(scratch, List.of(output), inputs, List.of(start), true);
  }
}
