package io.camhook.cam.targets;

import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** Factory methods for targets. */
public final class Targets {
  /** How many classes Finer-CAM compares with. */
  private static final int FINER_CLASSES = 3;

  private Targets() {}

  /** The logit of a class. */
  public static ScoreTarget logit(int index) {
    return new ClassLogit("class " + index, index);
  }

  /** The softmax probability of a class. */
  public static ScoreTarget softmax(int index) {
    return new ClassSoftmax(index);
  }

  /** The logit of a class plus the logarithm of its softmax probability. */
  public static ScoreTarget rest(int index) {
    return new ClassRest(index);
  }

  /** The one output of a binary classifier, or its negative to explain the other side. */
  public static ScoreTarget binary(boolean positive) {
    return new OutputSum(positive ? "positive side" : "negative side", positive ? 1 : -1);
  }

  /** The raw score: the single output, or the sum of all outputs. */
  public static ScoreTarget raw() {
    return new OutputSum("raw score", 1);
  }

  /** The logits of the {@code n} best classes of this output, best first. */
  public static List<ScoreTarget> top(float[] logits, int n) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -(double) logits[i]))
        .limit(n)
        .map(Targets::logit)
        .toList();
  }

  /** The logit of one class minus that of another. */
  public static ScoreTarget difference(int wanted, int other) {
    return new ClassDifference(wanted, other);
  }

  /**
   * Finer-CAM's target for a class, against the three classes whose logits are nearest to its own.
   */
  public static ScoreTarget finer(int index, float[] logits) {
    return finer(index, FinerWeighted.nearest(index, logits, FINER_CLASSES), 1);
  }

  /** Finer-CAM's target against given classes. */
  public static ScoreTarget finer(int index, int[] compared, double alpha) {
    return new FinerWeighted(index, compared.clone(), alpha);
  }

  /**
   * The sum of a class's logits over a mask.
   *
   * @param mask {@code [H,W]} of the model's output, row-major; 0 outside
   */
  public static ScoreTarget segmentation(int index, float[] mask) {
    return new SegmentationMask(index, mask.clone());
  }

  /** One output of a regression. */
  public static ScoreTarget regression(int output) {
    return new ClassLogit("output " + output, output);
  }

  /** One of the scores that a detector returns besides its boxes. */
  public static ScoreTarget boxOutput(int box) {
    return new BoxOutput(box);
  }

  /** A weighted sum of the outputs. */
  public static ScoreTarget weighted(String name, float[] weights) {
    return new WeightedOutputs(name, weights.clone());
  }

  /** Cosine similarity of the output to a reference embedding. */
  public static ScoreTarget similarity(float[] reference) {
    return new EmbeddingSimilarity(reference.clone());
  }

  /** Your own score of the outputs; it is differentiated numerically, so it should be smooth. */
  public static ScoreTarget custom(String name, ToDoubleFunction<float[]> score) {
    return new CustomTarget(name, score);
  }

  /** Your own score of the outputs with its derivative. */
  public static ScoreTarget custom(
      String name, ToDoubleFunction<float[]> score, UnaryOperator<float[]> derivative) {
    return new DifferentiatedTarget(name, score, derivative);
  }
}
