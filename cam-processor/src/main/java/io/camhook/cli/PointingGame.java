package io.camhook.cli;

import io.camhook.cam.FloatMap;
import io.camhook.render.Bilinear;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The pointing game: how often the hottest point of a heatmap lies inside the object.
 *
 * <p>Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016; here without the
 * tolerance of 15 pixels, so a hit is a pixel of the object itself.
 */
final class PointingGame {
  private final Map<String, Score> scores = new LinkedHashMap<>();

  /**
   * The result of one method.
   *
   * @param hits heatmaps whose maximum is inside
   * @param rounds heatmaps
   */
  record Score(int hits, int rounds) {
    /** Hits of rounds, 0 to 1; NaN without rounds. */
    double rate() {
      return (double) hits / rounds;
    }

    private Score plus(Score other) {
      return new Score(hits + other.hits, rounds + other.rounds);
    }
  }

  /**
   * Plays a round: the heatmap is resized bilinearly to the mask's size; among equal maxima the
   * first counts.
   */
  boolean play(String method, FloatMap heatmap, GroundTruth.Mask mask) {
    float[] heat =
        Bilinear.resize(heatmap.values(), heatmap.shape(), new int[] {mask.height(), mask.width()});
    boolean hit = mask.inside()[FloatMap.of(heat, mask.height(), mask.width()).argMax()];
    scores.merge(method, new Score(hit ? 1 : 0, 1), Score::plus);
    return hit;
  }

  Map<String, Score> scores() {
    return scores;
  }
}
