package io.camhook.cam.targets;

/**
 * {@code p = softmax(logits)[index]}; gradient {@code p (1_index - softmax)}, in float32 as in
 * PyTorch: if p is nearly 1, {@code 1 - p} has few significant digits, so a gradient in double
 * precision would differ from PyTorch's (by a sixth at p = 1 - 3e-7).
 */
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
    float[] p = Outputs.softmaxInFloat(logits);
    float[] gradient = new float[p.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = i == index ? p[i] * (1 - p[i]) : -p[index] * p[i];
    }
    return gradient;
  }
}
