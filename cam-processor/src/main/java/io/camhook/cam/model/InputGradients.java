package io.camhook.cam.model;

import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.Collections;
import java.util.List;

/** The mean gradient of the target over several variants of one input, run batch by batch. */
final class InputGradients {

  private InputGradients() {}

  /** The gradients of the targets at the samples of a batch. */
  interface Gradient {
    Tensor at(Tensor batch, List<ScoreTarget> targets);
  }

  /** Mean of {@code dS/dx} over {@code count} inputs filled by {@code filler}. */
  static double[] mean(ModelRun run, String method, int count, ModelRun.Filler filler) {
    BackwardModel model = run.backward(method);
    return mean(run, method, count, run.input().shape(), filler, model::inputGradient);
  }

  /** The same at other values of {@code shape}, a batch of 1, than those of the input. */
  static double[] mean(
      ModelRun run,
      String method,
      int count,
      long[] shape,
      ModelRun.Filler filler,
      Gradient gradient) {
    int size = 1;
    for (int d = 1; d < shape.length; d++) {
      size = Math.multiplyExact(size, (int) shape[d]);
    }
    double[] mean = new double[size];
    for (int from = 0; from < count; from += run.options().batch()) {
      run.requireNotCancelled(method);
      int n = Math.min(run.options().batch(), count - from);
      float[] batch = new float[Math.multiplyExact(n, size)];
      for (int i = 0; i < n; i++) {
        filler.fill(from + i, batch, i * size);
      }
      long[] several = shape.clone();
      several[0] = n;
      List<ScoreTarget> targets = Collections.nCopies(n, run.target());
      float[] gradients = gradient.at(Tensor.ofFloats(batch, several), targets).toFloats();
      for (int i = 0; i < gradients.length; i++) {
        mean[i % size] += gradients[i] / (double) count;
      }
      run.options().progress().at(method, from + n, count);
    }
    return mean;
  }
}
