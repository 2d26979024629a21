package io.camhook.cam.targets;

import io.camhook.cam.CamException;

/**
 * Cosine similarity of the output, an embedding e, with a reference r: {@code e.r / (|e| |r|)};
 * gradient {@code (r/|r| - cos e/|e|) / |e|}. For image retrieval and metric learning.
 */
record EmbeddingSimilarity(float[] reference) implements ScoreTarget {

  @Override
  public String name() {
    return "similarity to a reference embedding";
  }

  @Override
  public double score(float[] logits) {
    requireLength(logits);
    return dot(logits, reference) / (norm(logits) * norm(reference));
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    double cosine = score(logits);
    double length = norm(logits);
    double referenceLength = norm(reference);
    double[] gradient = new double[logits.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = (reference[i] / referenceLength - cosine * logits[i] / length) / length;
    }
    return Outputs.toFloats(gradient);
  }

  private void requireLength(float[] logits) {
    if (logits.length != reference.length) {
      throw new CamException(
          "the reference embedding has %d values, the model's output %d"
              .formatted(reference.length, logits.length));
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static double norm(float[] a) {
    return Math.max(Math.sqrt(dot(a, a)), 1e-12);
  }
}
