package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import io.camhook.recording.Tensor;
import java.util.Random;
import java.util.function.Function;

/**
 * Sensitivity (max): the largest relative change of the heatmap, {@code |h(x + d) - h(x)| / |h(x)|}
 * in the Euclidean norm, over 10 perturbations d, uniform in ±0.02 in every value. Lower is better;
 * 0 if the heatmap is 0 and stays so.
 *
 * <p>Yeh et al., "On the (In)fidelity and Sensitivity of Explanations", NeurIPS 2019; radius and
 * number of samples as in Captum.
 */
public final class MaxSensitivity {
  private static final int SAMPLES = 10;
  private static final double RADIUS = 0.02;

  private MaxSensitivity() {}

  /**
   * Measures.
   *
   * @param input {@code [1,C,…]}
   * @param explain the method: input to heatmap
   */
  public static double of(Tensor input, Function<Tensor, FloatMap> explain, long seed) {
    Random random = new Random(seed);
    float[] values = input.toFloats();
    float[] original = explain.apply(input).values();
    double norm = norm(original, new float[original.length]);
    double worst = 0;
    for (int n = 0; n < SAMPLES; n++) {
      float[] moved = new float[values.length];
      for (int i = 0; i < moved.length; i++) {
        moved[i] = (float) (values[i] + RADIUS * (2 * random.nextDouble() - 1));
      }
      float[] changed = explain.apply(Tensor.ofFloats(moved, input.shape())).values();
      worst = Math.max(worst, norm(changed, original));
    }
    return worst == 0 ? 0 : worst / norm;
  }

  private static double norm(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }
}
