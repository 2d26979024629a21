package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import java.util.Arrays;

/**
 * How simple a heatmap is: one that highlights few positions is easier to understand.
 *
 * @param sparseness the Gini index of the sizes |a|, sorted upwards: {@code Σ (2i - n - 1) |a_i| /
 *     (n Σ |a_i|)}; 0 if all are equal, nearly 1 if a single one has everything (Chalasani et al.,
 *     "Concise Explanations of Neural Networks using Adversarial Training", ICML 2020)
 * @param entropy of the shares {@code p_i = |a_i| / Σ |a|}: {@code -Σ p ln p}, from 0 (one place)
 *     to ln n (Bhatt et al., "Evaluating and Aggregating Feature-based Model Explanations", IJCAI
 *     2020)
 */
public record Complexity(double sparseness, double entropy) {

  /** Measures; a map of zeros is as little sparse and as complex as can be. */
  public static Complexity of(FloatMap heatmap) {
    float[] sizes = heatmap.values().clone();
    double sum = 0;
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = Math.abs(sizes[i]);
      sum += sizes[i];
    }
    int n = sizes.length;
    if (sum == 0) {
      return new Complexity(0, Math.log(n));
    }
    Arrays.sort(sizes);
    double gini = 0;
    double entropy = 0;
    for (int i = 0; i < n; i++) {
      gini += (2.0 * (i + 1) - n - 1) * sizes[i];
      double share = sizes[i] / sum;
      entropy -= share > 0 ? share * Math.log(share) : 0;
    }
    return new Complexity(gini / (n * sum), entropy);
  }
}
