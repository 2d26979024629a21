package io.camhook.cam.targets;

import java.util.function.ToDoubleFunction;

/** A user's own score, differentiated by central differences: two evaluations per output. */
record CustomTarget(String name, ToDoubleFunction<float[]> function) implements ScoreTarget {
  private static final float STEP = 1e-3f;

  @Override
  public double score(float[] logits) {
    return function.applyAsDouble(logits.clone());
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    float[] moved = logits.clone();
    float[] gradient = new float[logits.length];
    for (int i = 0; i < gradient.length; i++) {
      float step = STEP * Math.max(1, Math.abs(logits[i]));
      float above = logits[i] + step;
      float below = logits[i] - step;
      moved[i] = above;
      double high = function.applyAsDouble(moved);
      moved[i] = below;
      double low = function.applyAsDouble(moved);
      moved[i] = logits[i];
      gradient[i] = (float) ((high - low) / ((double) above - below));
    }
    return gradient;
  }
}
