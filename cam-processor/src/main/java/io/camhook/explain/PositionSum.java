package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A target of class scores for an output that has a score for each position, {@code [C,…]}: a
 * class's score is its sum over the positions of a mask.
 *
 * @param classes C
 * @param inside the mask, one entry per position
 * @param target the target, applied to the sums
 */
record PositionSum(int classes, boolean[] inside, ScoreTarget target) implements ScoreTarget {

  /** The targets of {@code choice} for the sums over a mask. */
  static List<ScoreTarget> of(TargetChoice choice, Tensor output, boolean[] inside) {
    int classes = Math.toIntExact(output.size(1));
    long positions = output.elements() / classes;
    if (positions != inside.length) {
      long[] shape = output.shape();
      throw new CamException(
          "a target mask of %d positions does not fit the model's output of shape %s; give one of %s"
              .formatted(
                  inside.length,
                  Arrays.toString(shape),
                  Arrays.toString(Arrays.copyOfRange(shape, 2, shape.length))));
    }
    return choice.targets(sums(output.toFloats(), inside)).stream()
        .<ScoreTarget>map(each -> new PositionSum(classes, inside, each))
        .toList();
  }

  /** The same, each over the positions where its class has the highest score. */
  static List<ScoreTarget> ofPrediction(TargetChoice choice, Tensor output) {
    int classes = Math.toIntExact(output.size(1));
    float[] scores = output.toFloats();
    int positions = scores.length / classes;
    boolean[] everywhere = new boolean[positions];
    Arrays.fill(everywhere, true);
    float[] sums = sums(scores, everywhere);
    List<ScoreTarget> targets = new ArrayList<>();
    for (ScoreTarget each : choice.targets(sums)) {
      int wanted = onlyClass(each, sums);
      boolean[] inside = new boolean[positions];
      boolean any = false;
      for (int p = 0; p < positions; p++) {
        inside[p] = best(scores, p, positions) == wanted;
        any |= inside[p];
      }
      if (!any) {
        throw new CamException(
            "%s: the model predicts it nowhere in this input, so the mask of its prediction is empty; choose a class that it finds, or give a mask"
                .formatted(each.name()));
      }
      targets.add(new PositionSum(classes, inside, each));
    }
    return targets;
  }

  private static int onlyClass(ScoreTarget target, float[] sums) {
    float[] gradient = target.gradientAtLogits(sums);
    int found = -1;
    for (int c = 0; c < gradient.length; c++) {
      if (gradient[c] != 0) {
        if (found >= 0) {
          throw new CamException(
              "%s: a mask of the prediction belongs to one class; use topN, class:N or label:S"
                  .formatted(target.name()));
        }
        found = c;
      }
    }
    return found;
  }

  private static int best(float[] scores, int position, int positions) {
    int best = 0;
    for (int at = position; at < scores.length; at += positions) {
      if (scores[at] > scores[best * positions + position]) {
        best = at / positions;
      }
    }
    return best;
  }

  private static float[] sums(float[] output, boolean[] inside) {
    float[] sums = new float[output.length / inside.length];
    for (int c = 0; c < sums.length; c++) {
      double sum = 0;
      for (int p = 0; p < inside.length; p++) {
        sum += inside[p] ? output[c * inside.length + p] : 0;
      }
      sums[c] = (float) sum;
    }
    return sums;
  }

  @Override
  public String name() {
    return target.name();
  }

  @Override
  public double score(float[] output) {
    return target.score(sums(output, inside));
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    float[] ofSums = target.gradientAtLogits(sums(output, inside));
    float[] gradient = new float[output.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = inside[i % inside.length] ? ofSums[i / inside.length] : 0;
    }
    return gradient;
  }
}
