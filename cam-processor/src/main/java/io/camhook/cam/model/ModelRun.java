package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * One input to explain with a runnable model.
 *
 * @param model the model
 * @param input {@code [1, C, …]}
 * @param target the scalar that is explained
 * @param options how to run the model again
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

  /** The score of the unchanged input. */
  public double score() {
    return target.score(model.outputs(input).toFloats());
  }

  /**
   * The replacement for a removed value: 0, or the padding token for token ids.
   *
   * @throws CamException naming {@code method} if the padding token is not known
   */
  public float absent(String method) {
    if (!model.takesIntegers()) {
      return 0;
    }
    Long pad = options.padId();
    if (pad == null) {
      throw new CamException(
          method
              + " replaces each token id by another token; name it with --pad-id N"
              + " (0 for most BERT models, 1 for RoBERTa)");
    }
    return pad;
  }

  /** The score of an input of zeros. Token ids are replaced by zero vectors. */
  public double scoreOfZero() {
    if (model.takesIntegers()) {
      BackwardModel backward = backward("completeness");
      long[] shape = backward.embedding().shape();
      float[] none = new float[Math.toIntExact(backward.embedding().elements())];
      return target.score(backward.outputsOfEmbedding(Tensor.ofFloats(none, shape)).toFloats());
    }
    float[] none = new float[Math.toIntExact(input.elements())];
    return target.score(model.outputs(Tensor.ofFloats(none, input.shape())).toFloats());
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

  /**
   * The scores of {@code count} inputs with the shape of this one, created and run batch by batch.
   */
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
    float[] batch = new float[0];
    for (int from = 0; from < count; from += options.batch()) {
      requireNotCancelled(method);
      int n = Math.min(options.batch(), count - from);
      int length = Math.multiplyExact(n, size);
      if (batch.length == length) {
        Arrays.fill(batch, 0);
      } else {
        batch = new float[length];
      }
      for (int i = 0; i < n; i++) {
        filler.fill(from + i, batch, i * size);
      }
      long[] shape = one.clone();
      shape[0] = n;
      float[] outputs = runner.run(Tensor.ofFloats(batch, shape)).toFloats();
      int each = outputs.length / n;
      for (int i = 0; i < n; i++) {
        scores[from + i] = target.score(Arrays.copyOfRange(outputs, i * each, (i + 1) * each));
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
