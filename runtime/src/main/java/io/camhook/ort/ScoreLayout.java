package io.camhook.ort;

import io.camhook.onnx.graph.HalfFloats;
import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The axes of samples and classes in an output: {@code [N,C]}, or {@code [N,C,…]} where a class's
 * score is the sum over the positions; {@code [C]} counts as one sample.
 *
 * @param shape of the output
 * @param classAxis its class axis
 */
record ScoreLayout(long[] shape, int classAxis) {
  private static final int CLASSES = 1;

  /**
   * @param wanted the axis that the user named; negative counts from the last, null for the second
   * @throws IllegalArgumentException if the output has no such axis
   */
  static ScoreLayout of(long[] shape, @Nullable Integer wanted) {
    if (shape.length == 1) {
      return new ScoreLayout(shape, 0);
    }
    int axis = wanted == null ? CLASSES : wanted < 0 ? wanted + shape.length : wanted;
    if (axis < 1 || axis >= shape.length) {
      throw new IllegalArgumentException(
          "class axis %d: expected one of 1 to %d of the output of rank %d"
              .formatted(axis, shape.length - 1, shape.length));
    }
    return new ScoreLayout(shape, axis);
  }

  int samples() {
    return shape.length == 1 ? 1 : Math.toIntExact(shape[0]);
  }

  int classes() {
    return Math.toIntExact(shape[classAxis]);
  }

  /** The scores, {@code [samples, classes]}, row by row. */
  float[] scores(float[] output) {
    if (shape.length <= 2) {
      return output;
    }
    int inner = inner();
    int classes = classes();
    int outer = output.length / Math.max(1, samples() * classes * inner);
    float[] scores = new float[samples() * classes];
    int at = 0;
    for (int n = 0; n < samples(); n++) {
      for (int o = 0; o < outer; o++) {
        for (int c = 0; c < classes; c++) {
          double sum = 0;
          for (int i = 0; i < inner; i++) {
            sum += output[at++];
          }
          scores[n * classes + c] += (float) sum;
        }
      }
    }
    return scores;
  }

  /** From ∂s/∂scores to ∂s/∂output, of a type of floating-point numbers. */
  Tensor seed(float[] gradients, DType type) {
    int inner = inner();
    int classes = classes();
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    int count = Math.toIntExact(elements);
    int perSample = count / Math.max(1, samples());
    ByteBuffer bytes = ByteBuffer.allocate(count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < count; at++) {
      put(bytes, type, gradients[at / perSample * classes + at % perSample / inner % classes]);
    }
    return new Tensor(type, shape, bytes.flip());
  }

  private int inner() {
    int inner = 1;
    for (int axis = classAxis + 1; axis < shape.length; axis++) {
      inner *= (int) shape[axis];
    }
    return inner;
  }

  private static void put(ByteBuffer bytes, DType type, float value) {
    switch (type) {
      case F32 -> bytes.putFloat(value);
      case F64 -> bytes.putDouble(value);
      case BF16 -> bytes.putShort(HalfFloats.toBfloat16(value));
      case F16 -> bytes.putShort(HalfFloats.toFloat16(value));
      default -> throw new IllegalArgumentException(type + " cannot be differentiated");
    }
  }
}
