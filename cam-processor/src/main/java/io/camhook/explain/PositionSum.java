package io.camhook.explain;

import io.camhook.cam.targets.ScoreTarget;

/**
 * A target of class scores for an output that has a score for each position, {@code [C,…]}: a
 * class's score is its sum over the positions.
 *
 * @param classes C
 * @param target what is asked of the sums
 */
record PositionSum(int classes, ScoreTarget target) implements ScoreTarget {

  static float[] sums(float[] output, int classes) {
    int positions = output.length / classes;
    float[] sums = new float[classes];
    for (int c = 0; c < classes; c++) {
      double sum = 0;
      for (int p = 0; p < positions; p++) {
        sum += output[c * positions + p];
      }
      sums[c] = (float) sum;
    }
    return sums;
  }

  @Override
  public String name() {
    return target.name();
  }

  @Override
  public double score(float[] output) {
    return target.score(sums(output, classes));
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    float[] ofSums = target.gradientAtLogits(sums(output, classes));
    int positions = output.length / classes;
    float[] gradient = new float[output.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = ofSums[i / positions];
    }
    return gradient;
  }
}
