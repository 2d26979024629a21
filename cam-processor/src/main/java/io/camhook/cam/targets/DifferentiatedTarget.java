package io.camhook.cam.targets;

import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;

/** A user's own score with its own derivative. */
record DifferentiatedTarget(
    String name, ToDoubleFunction<float[]> function, UnaryOperator<float[]> derivative)
    implements ScoreTarget {

  @Override
  public double score(float[] logits) {
    return function.applyAsDouble(logits);
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    return derivative.apply(logits);
  }
}
