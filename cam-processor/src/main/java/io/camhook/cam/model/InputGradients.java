package io.camhook.cam.model;

import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.Collections;
import java.util.List;

/** The mean gradient of the target over several variants of one input, run batch by batch. */
final class InputGradients {

  private InputGradients() {}

  /** Mean of {@code dS/dx} over {@code count} inputs that {@code filler} makes. */
  static double[] mean(ModelRun run, String method, int count, ModelRun.Filler filler) {
    BackwardModel model = run.backward(method);
    int size = Math.toIntExact(run.input().elements());
    double[] mean = new double[size];
    for (int from = 0; from < count; from += run.options().batch()) {
      run.requireNotCancelled(method);
      int n = Math.min(run.options().batch(), count - from);
      float[] batch = new float[Math.multiplyExact(n, size)];
      for (int i = 0; i < n; i++) {
        filler.fill(from + i, batch, i * size);
      }
      long[] shape = run.input().shape();
      shape[0] = n;
      List<ScoreTarget> targets = Collections.nCopies(n, run.target());
      float[] gradients = model.inputGradient(Tensor.ofFloats(batch, shape), targets).toFloats();
      for (int i = 0; i < gradients.length; i++) {
        mean[i % size] += gradients[i] / (double) count;
      }
      run.options().progress().at(method, from + n, count);
    }
    return mean;
  }
}
