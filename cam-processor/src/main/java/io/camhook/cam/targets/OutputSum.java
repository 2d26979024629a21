package io.camhook.cam.targets;

import java.util.Arrays;

/**
 * {@code sign * sum_i logits_i}: the raw score, or the side of a binary classifier's one output.
 */
record OutputSum(String name, int sign) implements ScoreTarget {

  @Override
  public double score(float[] logits) {
    double sum = 0;
    for (float v : logits) {
      sum += v;
    }
    return sign * sum;
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    float[] gradient = new float[logits.length];
    Arrays.fill(gradient, sign);
    return gradient;
  }
}
