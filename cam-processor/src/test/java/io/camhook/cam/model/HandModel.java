package io.camhook.cam.model;

import io.camhook.cam.LayerTensors;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A model of one output whose score and derivatives are written down by hand, sample by sample. Use
 * {@code Targets.raw()}. A test must override every method that it uses.
 */
class HandModel implements BackwardModel {
  final List<Integer> batches = new ArrayList<>();

  /** The one output for one input. */
  double score(float[] input) {
    throw new UnsupportedOperationException("score");
  }

  /** Its derivative. */
  float[] gradient(float[] input) {
    throw new UnsupportedOperationException("gradient");
  }

  /** The guided derivative. */
  float[] guided(float[] input) {
    throw new UnsupportedOperationException("guided gradient");
  }

  /** The output for one activation of the layer. */
  double scoreFrom(float[] activation) {
    throw new UnsupportedOperationException("score of an activation");
  }

  @Override
  public Tensor outputs(Tensor input) {
    return scores(input, this::score);
  }

  @Override
  public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
    return scores(activation, this::scoreFrom);
  }

  private Tensor scores(Tensor batch, java.util.function.ToDoubleFunction<float[]> score) {
    int n = (int) batch.size(0);
    batches.add(n);
    float[] out = new float[n];
    for (int i = 0; i < n; i++) {
      out[i] = (float) score.applyAsDouble(sample(batch, i));
    }
    return Tensor.ofFloats(out, n, 1);
  }

  @Override
  public List<LayerTensors> layers(Tensor input, List<ScoreTarget> targets, List<String> paths) {
    throw new UnsupportedOperationException("layers");
  }

  @Override
  public Tensor inputGradient(Tensor input, List<ScoreTarget> targets) {
    return map(input, this::gradient);
  }

  @Override
  public Tensor guidedInputGradient(Tensor input, List<ScoreTarget> targets) {
    return map(input, this::guided);
  }

  @Override
  public Tensor hessianProduct(
      Tensor input, List<ScoreTarget> targets, String path, Tensor vector) {
    throw new UnsupportedOperationException("Hessian product");
  }

  @Override
  public List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets) {
    throw new UnsupportedOperationException("bias gradients");
  }

  private static Tensor map(Tensor batch, UnaryOperator<float[]> function) {
    float[] out = new float[(int) batch.elements()];
    int size = out.length / (int) batch.size(0);
    for (int i = 0; i < batch.size(0); i++) {
      System.arraycopy(function.apply(sample(batch, i)), 0, out, i * size, size);
    }
    return Tensor.ofFloats(out, batch.shape());
  }

  static float[] sample(Tensor batch, int index) {
    int size = (int) (batch.elements() / batch.size(0));
    return Arrays.copyOfRange(batch.toFloats(), index * size, (index + 1) * size);
  }
}
