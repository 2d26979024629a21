package io.camhook.cam.targets;

import io.camhook.cam.CamException;

/**
 * Sum of a class's logits over the pixels of a mask; the output is {@code [classes, H, W]}. The
 * mask may hold weights.
 */
record SegmentationMask(int index, float[] mask) implements ScoreTarget {

  @Override
  public String name() {
    return "class " + index + " inside a mask";
  }

  @Override
  public double score(float[] logits) {
    int from = plane(logits);
    double sum = 0;
    for (int i = 0; i < mask.length; i++) {
      sum += (double) mask[i] * logits[from + i];
    }
    return sum;
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    float[] gradient = new float[logits.length];
    System.arraycopy(mask, 0, gradient, plane(logits), mask.length);
    return gradient;
  }

  private int plane(float[] logits) {
    if (mask.length == 0 || logits.length % mask.length != 0) {
      throw new CamException(
          "a mask of %d pixels does not fit an output of %d values; give it the height and width of the model's output"
              .formatted(mask.length, logits.length));
    }
    int classes = logits.length / mask.length;
    if (index < 0 || index >= classes) {
      throw new CamException(
          "class %d is out of range: under a mask of %d pixels the model has %d classes, 0 to %d"
              .formatted(index, mask.length, classes, classes - 1));
    }
    return index * mask.length;
  }
}
