package io.camhook.cam.targets;

/** {@code logits[index]}: the score of a class before softmax, or one output of a regression. */
record ClassLogit(String name, int index) implements ScoreTarget {

  @Override
  public double score(float[] logits) {
    Outputs.requireIndex(index, logits);
    return logits[index];
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    Outputs.requireIndex(index, logits);
    float[] gradient = new float[logits.length];
    gradient[index] = 1;
    return gradient;
  }
}
