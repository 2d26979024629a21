package io.camhook.plain;

import io.camhook.capture.ClassScores;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decides from a network's output whether it works on batches: {@code [C]} is a single sample,
 * {@code [N,C,…]} a batch. Recordings always have a batch dimension.
 */
final class Batch {
  private final Tensor output;
  private final int samples;
  private final int classes;

  Batch(Tensor output) {
    this.output = output;
    boolean batched = output.rank() >= 2;
    samples = batched ? (int) output.size(0) : 1;
    classes = output.rank() == 0 ? 0 : (int) output.size(batched ? 1 : 0);
  }

  /** The tensor with a batch dimension of 1 put before the others, if it has none. */
  Tensor with(Tensor tensor) {
    if (output.rank() >= 2 && tensor.rank() >= 2 && tensor.size(0) == samples) {
      return tensor;
    }
    long[] shape = new long[tensor.rank() + 1];
    shape[0] = 1;
    System.arraycopy(tensor.shape(), 0, shape, 1, tensor.rank());
    return new Tensor(tensor.dtype(), shape, tensor.data());
  }

  /** The class scores, summed over positions if there are any; null if there are no scores. */
  @Nullable ClassScores scores() {
    if (samples == 0 || classes == 0 || output.elements() == 0) {
      return null;
    }
    float[] values = output.toFloats();
    int positions = positions();
    if (positions == 1) {
      return new ClassScores(values, samples, classes);
    }
    float[] sums = new float[samples * classes];
    for (int i = 0; i < values.length; i++) {
      sums[i / positions] += values[i];
    }
    return new ClassScores(sums, samples, classes);
  }

  private int positions() {
    return (int) (output.elements() / ((long) samples * classes));
  }

  /** The gradient of the output, given that of the class scores. */
  float[] seed(float[] scores) {
    int positions = positions();
    if (positions == 1) {
      return scores;
    }
    float[] seed = new float[scores.length * positions];
    for (int i = 0; i < scores.length; i++) {
      Arrays.fill(seed, i * positions, (i + 1) * positions, scores[i]);
    }
    return seed;
  }
}
