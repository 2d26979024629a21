package io.camhook.cam.targets;

import java.util.List;

/** The score of one box: objectness times the probability of a class. */
record BoxScore(Boxes boxes, int box, int index) implements BoxTarget {

  @Override
  public String name() {
    return "box " + box + " as class " + index;
  }

  @Override
  public Detection among(List<Detection> all) {
    return all.get(box);
  }

  @Override
  public double score(float[] output) {
    return boxes.score(output, box, index);
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    float[] gradient = new float[output.length];
    add(gradient, output, boxes, box, index);
    return gradient;
  }

  /** The gradient of {@code objectness · class}. */
  static void add(float[] gradient, float[] output, Boxes boxes, int box, int index) {
    int column = boxes.index(box, boxes.classColumn(index));
    if (boxes.format() == Boxes.Format.V5) {
      int objectness = boxes.index(box, 4);
      gradient[column] += output[objectness];
      gradient[objectness] += output[column];
    } else {
      gradient[column] += 1;
    }
  }
}
