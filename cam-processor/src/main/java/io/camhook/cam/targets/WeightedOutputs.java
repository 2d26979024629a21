package io.camhook.cam.targets;

import io.camhook.cam.CamException;

/** {@code sum_i weights_i logits_i}, any linear score; the gradient is the weights. */
record WeightedOutputs(String name, float[] weights) implements ScoreTarget {

  @Override
  public double score(float[] logits) {
    requireLength(logits);
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += (double) weights[i] * logits[i];
    }
    return sum;
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    requireLength(logits);
    return weights.clone();
  }

  private void requireLength(float[] logits) {
    if (logits.length != weights.length) {
      throw new CamException(
          "target '%s' is for %d outputs, the model has %d"
              .formatted(name, weights.length, logits.length));
    }
  }
}
