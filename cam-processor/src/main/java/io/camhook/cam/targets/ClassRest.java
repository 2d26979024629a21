package io.camhook.cam.targets;

/**
 * ReST, {@code logits[index] + log softmax(logits)[index]}: before and after softmax at once (Cai,
 * "CAMs as Shapley Value-based Explainers", 2025); gradient {@code 2 * 1_index - softmax}.
 */
record ClassRest(int index) implements ScoreTarget {

  @Override
  public String name() {
    return "ReST of class " + index;
  }

  @Override
  public double score(float[] logits) {
    Outputs.requireIndex(index, logits);
    return logits[index] + Math.log(Outputs.softmax(logits)[index]);
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    Outputs.requireIndex(index, logits);
    double[] p = Outputs.softmax(logits);
    for (int i = 0; i < p.length; i++) {
      p[i] = (i == index ? 2 : 0) - p[i];
    }
    return Outputs.toFloats(p);
  }
}
