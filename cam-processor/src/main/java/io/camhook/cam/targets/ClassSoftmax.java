package io.camhook.cam.targets;

/** {@code p = softmax(logits)[index]}; gradient {@code p (1_index - softmax)}. */
record ClassSoftmax(int index) implements ScoreTarget {

  @Override
  public String name() {
    return "softmax of class " + index;
  }

  @Override
  public double score(float[] logits) {
    Outputs.requireIndex(index, logits);
    return Outputs.softmax(logits)[index];
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    Outputs.requireIndex(index, logits);
    double[] p = Outputs.softmax(logits);
    double[] gradient = new double[p.length];
    for (int i = 0; i < p.length; i++) {
      gradient[i] = p[index] * ((i == index ? 1 : 0) - p[i]);
    }
    return Outputs.toFloats(gradient);
  }
}
