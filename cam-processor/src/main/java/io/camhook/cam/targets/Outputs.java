package io.camhook.cam.targets;

import io.camhook.cam.CamException;

/** Softmax and checks of one sample's output. */
final class Outputs {

  private Outputs() {}

  /** The softmax probabilities, in double precision. */
  static double[] softmax(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float v : logits) {
      max = Math.max(max, v);
    }
    double[] p = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(logits[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  /** The softmax probabilities with every step rounded to float32, as PyTorch computes them. */
  static float[] softmaxInFloat(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float v : logits) {
      max = Math.max(max, v);
    }
    float[] p = new float[logits.length];
    float sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = (float) Math.exp(logits[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  static void requireIndex(int index, float[] logits) {
    if (index < 0 || index >= logits.length) {
      throw new CamException(
          "class %d is out of range: the model has %d outputs, 0 to %d"
              .formatted(index, logits.length, logits.length - 1));
    }
  }

  static float[] toFloats(double[] values) {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) values[i];
    }
    return out;
  }
}
