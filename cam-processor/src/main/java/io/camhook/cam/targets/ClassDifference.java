package io.camhook.cam.targets;

/** {@code logits[wanted] - logits[other]}: the evidence for one class and against another. */
record ClassDifference(int wanted, int other) implements ScoreTarget {

  @Override
  public String name() {
    return "class " + wanted + " minus class " + other;
  }

  @Override
  public double score(float[] logits) {
    Outputs.requireIndex(wanted, logits);
    Outputs.requireIndex(other, logits);
    return (double) logits[wanted] - logits[other];
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    Outputs.requireIndex(wanted, logits);
    Outputs.requireIndex(other, logits);
    float[] gradient = new float[logits.length];
    gradient[wanted] += 1;
    gradient[other] -= 1;
    return gradient;
  }
}
