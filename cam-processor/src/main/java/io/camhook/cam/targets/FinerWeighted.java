package io.camhook.cam.targets;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Finer-CAM's target: {@code sum_j p_j (s_c - alpha s_j) / (sum_j p_j + 1e-9)} with p the softmax
 * probabilities of the classes j to compare c with (Zhang et al., CVPR 2025). The gradient also
 * flows through p, as in pytorch-grad-cam.
 */
record FinerWeighted(int index, int[] compared, double alpha) implements ScoreTarget {
  private static final double EPSILON = 1e-9;

  /** The {@code count} other classes whose logits are nearest to that of {@code index}. */
  static int[] nearest(int index, float[] logits, int count) {
    Outputs.requireIndex(index, logits);
    return IntStream.range(0, logits.length)
        .filter(i -> i != index)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> Math.abs((double) logits[i] - logits[index])))
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  @Override
  public String name() {
    return "class " + index + " against " + Arrays.toString(compared);
  }

  @Override
  public double score(float[] logits) {
    requireIndices(logits);
    double[] p = Outputs.softmax(logits);
    double numerator = 0;
    double denominator = EPSILON;
    for (int j : compared) {
      numerator += p[j] * (logits[index] - alpha * logits[j]);
      denominator += p[j];
    }
    return numerator / denominator;
  }

  @Override
  public float[] gradientAtLogits(float[] logits) {
    requireIndices(logits);
    double[] p = Outputs.softmax(logits);
    double score = score(logits);
    double mass = 0;
    for (int j : compared) {
      mass += p[j];
    }
    double[] gradient = new double[logits.length];
    // d/dp_j: (d_j - score) / D with d_j = s_c - alpha s_j; dp_j/ds_i = p_j (1_ij - p_i).
    double through = 0;
    for (int j : compared) {
      double difference = logits[index] - alpha * logits[j];
      gradient[index] += p[j];
      gradient[j] += p[j] * (-alpha + difference - score);
      through += p[j] * (difference - score);
    }
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = (gradient[i] - p[i] * through) / (mass + EPSILON);
    }
    return Outputs.toFloats(gradient);
  }

  private void requireIndices(float[] logits) {
    Outputs.requireIndex(index, logits);
    for (int j : compared) {
      Outputs.requireIndex(j, logits);
    }
  }
}
