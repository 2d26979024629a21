package io.camhook.cam.metrics;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.model.ModelRun;
import io.camhook.recording.Tensor;

/**
 * ROAD, remove and debias: how the score changes when the most (MoRF) or least (LeRF) relevant
 * pixels are imputed from their neighbours, at the percentiles 10 to 90. Combined: {@code (mean
 * LeRF - mean MoRF) / 2}; higher is better. Use a softmax target.
 *
 * <p>Rong et al., ICML 2022. Follows pytorch-grad-cam with its noise set to 0, so that the result
 * is reproducible.
 *
 * @param morf change of the score per percentile, most relevant removed first
 * @param lerf the same, least relevant first
 */
public record Road(double[] morf, double[] lerf) {
  private static final int[] PERCENTILES = {10, 20, 30, 40, 50, 60, 70, 80, 90};

  /** The percentiles. */
  public static int[] percentiles() {
    return PERCENTILES.clone();
  }

  /**
   * Measures one heatmap of the input's size.
   *
   * @throws CamException if the heatmap has another size
   */
  public static Road of(ModelRun run, FloatMap heatmap) {
    Sizes.requireSame(run, heatmap);
    float[] input = run.input().toFloats();
    int n = PERCENTILES.length;
    double score = run.score();
    double[] scores =
        run.scoresOfInputs(
            "road",
            2 * n,
            (i, batch, offset) -> {
              float[] imputed = imputed(input, heatmap, PERCENTILES[i % n], i < n);
              System.arraycopy(imputed, 0, batch, offset, imputed.length);
            });
    double[] morf = new double[n];
    double[] lerf = new double[n];
    for (int i = 0; i < n; i++) {
      morf[i] = scores[i] - score;
      lerf[i] = scores[n + i] - score;
    }
    return new Road(morf, lerf);
  }

  /** The input with the pixels imputed whose relevance is at or above the percentile. */
  static Tensor imputed(Tensor input, FloatMap heatmap, int percentile, boolean mostRelevant) {
    return Tensor.ofFloats(
        imputed(input.toFloats(), heatmap, percentile, mostRelevant), input.shape());
  }

  private static float[] imputed(
      float[] input, FloatMap heatmap, int percentile, boolean mostRelevant) {
    int[] size = heatmap.shape();
    if (size.length != 2) {
      throw new CamException(
          "ROAD imputes pictures, the heatmap has %d dimensions; use deletion and insertion"
              .formatted(size.length));
    }
    float[] relevance = heatmap.values().clone();
    for (int i = 0; !mostRelevant && i < relevance.length; i++) {
      relevance[i] = 1 - relevance[i];
    }
    // NumPy compares float32 with a float32 percentile.
    float threshold = (float) Percentiles.of(relevance, percentile);
    boolean[] missing = new boolean[relevance.length];
    for (int i = 0; i < missing.length; i++) {
      missing[i] = relevance[i] >= threshold;
    }
    return new LinearImputer(missing, size[0], size[1]).impute(input);
  }

  /** Mean of {@link #morf}; lower is better. */
  public double meanMorf() {
    return mean(morf);
  }

  /** Mean of {@link #lerf}; higher is better. */
  public double meanLerf() {
    return mean(lerf);
  }

  /** {@code (mean LeRF - mean MoRF) / 2}; higher is better. */
  public double combined() {
    return (meanLerf() - meanMorf()) / 2;
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return sum / values.length;
  }
}
