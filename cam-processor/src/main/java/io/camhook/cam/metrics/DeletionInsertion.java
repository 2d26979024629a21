package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import io.camhook.cam.model.ModelRun;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Deletion and insertion: the score while positions are replaced by 0, or restored from 0, from the
 * most relevant on (ties in row-major order), in 20 steps. Use a softmax target.
 *
 * <p>Petsiuk et al., "RISE", BMVC 2018. Follows torchcam: steps of {@code ceil(n/20)} positions,
 * areas by the trapezoid rule over the fraction.
 *
 * @param fractions 0 to 1
 * @param deletion score at each fraction deleted
 * @param insertion score at each fraction inserted
 */
public record DeletionInsertion(double[] fractions, double[] deletion, double[] insertion) {
  private static final int STEPS = 20;

  /**
   * Measures one heatmap.
   *
   * @throws io.camhook.cam.CamException if it is not of the input's size
   */
  public static DeletionInsertion of(ModelRun run, FloatMap heatmap) {
    Sizes.requireSame(run, heatmap);
    float[] heat = heatmap.values();
    int positions = heat.length;
    int[] rank = ranks(heat);
    int step = (positions + STEPS - 1) / STEPS;
    int points = (positions + step - 1) / step + 1;
    float[] input = run.input().toFloats();
    float none = run.absent("deletion and insertion");
    double[] scores =
        run.scoresOfInputs(
            "deletion-insertion",
            2 * points,
            (i, batch, offset) -> {
              int count = Math.min(i % points * step, positions);
              boolean inserting = i >= points;
              for (int p = 0; p < input.length; p++) {
                boolean relevant = rank[p % positions] < count;
                batch[offset + p] = relevant == inserting ? input[p] : none;
              }
            });
    double[] fractions = new double[points];
    double[] deletion = new double[points];
    double[] insertion = new double[points];
    for (int i = 0; i < points; i++) {
      fractions[i] = (double) Math.min(i * step, positions) / positions;
      deletion[i] = scores[i];
      insertion[i] = scores[points + i];
    }
    return new DeletionInsertion(fractions, deletion, insertion);
  }

  /** Area under the deletion curve; lower is better. */
  public double deletionAuc() {
    return area(fractions, deletion);
  }

  /** Area under the insertion curve; higher is better. */
  public double insertionAuc() {
    return area(fractions, insertion);
  }

  /** Trapezoid rule. */
  static double area(double[] x, double[] y) {
    double area = 0;
    for (int i = 1; i < x.length; i++) {
      area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
    }
    return area;
  }

  private static int[] ranks(float[] heat) {
    int[] order =
        IntStream.range(0, heat.length)
            .boxed()
            .sorted(Comparator.comparingDouble(p -> -(double) heat[p]))
            .mapToInt(Integer::intValue)
            .toArray();
    int[] rank = new int[heat.length];
    for (int i = 0; i < order.length; i++) {
      rank[order[i]] = i;
    }
    return rank;
  }
}
