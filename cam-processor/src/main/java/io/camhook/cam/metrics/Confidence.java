package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import io.camhook.cam.model.ModelRun;

/**
 * The score before and after the input is multiplied by its heatmap (Chattopadhyay et al., WACV
 * 2018). Use a softmax target. {@link #drop} and {@link #increased} follow pytorch-grad-cam, {@link
 * #relativeDrop} is torchcam's average drop.
 *
 * @param before score of the input
 * @param after score of input times heatmap
 */
public record Confidence(double before, double after) {
  private static final double EPSILON = 1e-7;

  /**
   * Measures one heatmap.
   *
   * @throws io.camhook.cam.CamException if it is not of the input's size
   */
  public static Confidence of(ModelRun run, FloatMap heatmap) {
    Sizes.requireSame(run, heatmap);
    float[] input = run.input().toFloats();
    float[] heat = heatmap.values();
    double[] after =
        run.scoresOfInputs(
            "confidence",
            1,
            (i, batch, offset) -> {
              for (int p = 0; p < input.length; p++) {
                batch[offset + p] = input[p] * heat[p % heat.length];
              }
            });
    return new Confidence(run.score(), after[0]);
  }

  /** {@code max(before - after, 0)}; lower is better. */
  public double drop() {
    return Math.max(before - after, 0);
  }

  /** Whether the score rose. */
  public boolean increased() {
    return after > before;
  }

  /** {@code max(before - after, 0) / (before + 1e-7)}; lower is better. */
  public double relativeDrop() {
    return drop() / (before + EPSILON);
  }

  /**
   * Whether this heatmap keeps more of the score than another one of the same input: the mean over
   * inputs is the win rate.
   */
  public boolean wins(Confidence other) {
    return relativeDrop() < other.relativeDrop();
  }
}
