package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;

/**
 * The axiom of completeness: attributions add up to the score minus that of the baseline, an input
 * of zeros (zero vectors for words). {@code |Σ a - (S(x) - S(0))| / |S(x) - S(0)|}: 0 is exact; a
 * map of zeros has 1.
 *
 * <p>Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017.
 */
public final class Completeness {
  private Completeness() {}

  /**
   * Measures.
   *
   * @param raw before ReLU and scaling
   * @param score S(x)
   * @param baseline S(0)
   */
  public static double of(FloatMap raw, double score, double baseline) {
    double sum = 0;
    for (float value : raw.values()) {
      sum += value;
    }
    double difference = score - baseline;
    return Math.abs(sum - difference) / Math.max(1e-12, Math.abs(difference));
  }
}
