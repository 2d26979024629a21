package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * One input to explain with a model at hand.
 *
 * @param model the model
 * @param input {@code [1, C, …]}
 * @param target the scalar that is explained
 * @param options how the model is run again
 */
public record ModelRun(ForwardModel model, Tensor input, ScoreTarget target, RunOptions options) {

  /** Fills input {@code index} of many, {@code size} floats from {@code offset} on. */
  public interface Filler {
    void fill(int index, float[] batch, int offset);
  }

  /** Runs one batch. */
  private interface Runner {
    Tensor run(Tensor batch);
  }

  public ModelRun {
    if (input.rank() < 2 || input.size(0) != 1) {
      throw new CamException(
          "expected one input, of shape [1,C,...], found " + Arrays.toString(input.shape()));
    }
  }

  /**
   * The input's values, for a method that changes or weighs numbers.
   *
   * @throws CamException naming {@code method} if they are token ids
   */
  float[] numbers(String method) {
    if (model.takesIntegers()) {
      throw new CamException(
          method
              + " changes numbers, and the input holds token ids; use occlusion (--pad-id N),"
              + " integrated-gradients, or hirescam at the embedding (-l)");
    }
    return input.toFloats();
  }

  /** Spatial shape of the input. */
  public int[] spatial() {
    return Arrays.stream(input.shape()).skip(2).mapToInt(Math::toIntExact).toArray();
  }

  /** The score of the input as it is. */
  public double score() {
    return target.score(model.outputs(input).toFloats());
  }

  /**
   * The model with gradients.
   *
   * @throws CamException naming {@code method} if it has none
   */
  BackwardModel backward(String method) {
    if (model instanceof BackwardModel backward) {
      return backward;
    }
    throw new CamException(
        method
            + " needs a model that gives gradients; a frozen or inference-only model does not: use"
            + " scorecam, ablationcam, rise or occlusion");
  }

  /** The scores of {@code count} inputs of the shape of this one, made and run batch by batch. */
  public double[] scoresOfInputs(String method, int count, Filler filler) {
    return scores(method, count, input.shape(), filler, model::outputs);
  }

  /** The scores with the output of layer {@code path} replaced by {@code count} activations. */
  double[] scoresOfActivations(
      String method, String path, int count, long[] activation, Filler filler) {
    return scores(method, count, activation, filler, b -> model.outputsFrom(path, b, input));
  }

  private double[] scores(String method, int count, long[] one, Filler filler, Runner runner) {
    int size = 1;
    for (int d = 1; d < one.length; d++) {
      size = Math.multiplyExact(size, (int) one[d]);
    }
    double[] scores = new double[count];
    for (int from = 0; from < count; from += options.batch()) {
      requireNotCancelled(method);
      int n = Math.min(options.batch(), count - from);
      float[] batch = new float[Math.multiplyExact(n, size)];
      for (int i = 0; i < n; i++) {
        filler.fill(from + i, batch, i * size);
      }
      long[] shape = one.clone();
      shape[0] = n;
      float[] outputs = runner.run(Tensor.ofFloats(batch, shape)).toFloats();
      int length = outputs.length / n;
      for (int i = 0; i < n; i++) {
        scores[from + i] = target.score(Arrays.copyOfRange(outputs, i * length, (i + 1) * length));
      }
      options.progress().at(method, from + n, count);
    }
    return scores;
  }

  void requireNotCancelled(String method) {
    if (options.cancelled().getAsBoolean()) {
      throw new CancellationException(method + " was cancelled");
    }
  }
}
