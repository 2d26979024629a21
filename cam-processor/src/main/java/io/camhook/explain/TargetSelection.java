package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The targets to explain for an output, one or several. Implementations are immutable. */
@FunctionalInterface
public interface TargetSelection {

  /**
   * The targets for one sample.
   *
   * @param output the model's scores, {@code [1,…]}; for a selection of classes {@code
   *     [1,classes,…]}
   * @throws CamException if the output has no such class
   */
  List<ScoreTarget> of(Tensor output);

  /** Whether the targets are classes, so that the class axis matters. */
  default boolean isOfClasses() {
    return false;
  }

  /** Targets of your own, which are given the output row-major and without the batch dimension. */
  static TargetSelection of(ScoreTarget... targets) {
    List<ScoreTarget> all = List.of(targets);
    return output -> all;
  }

  /**
   * The user's target. If the model scores every position, {@code [1,C,…]}, a class's score is the
   * sum over them.
   */
  static TargetSelection of(TargetChoice choice) {
    return new OfClasses(
        output -> {
          if (output.rank() <= 2) {
            return choice.targets(output.toFloats());
          }
          int classes = Math.toIntExact(output.size(1));
          boolean[] everywhere = new boolean[Math.toIntExact(output.elements() / classes)];
          Arrays.fill(everywhere, true);
          return PositionSum.of(choice, output, everywhere);
        });
  }

  /**
   * The same with sums over the positions of a mask alone.
   *
   * @param inside row-major, of the output's positions
   * @throws CamException later, if the output has other positions
   */
  static TargetSelection within(TargetChoice choice, boolean[] inside) {
    boolean[] mask = inside.clone();
    return new OfClasses(output -> PositionSum.of(choice, requirePositions(output), mask));
  }

  /** The same if the model scores every position; otherwise the scores as they are. */
  static TargetSelection withinIfPositions(TargetChoice choice, boolean[] inside) {
    boolean[] mask = inside.clone();
    return new OfClasses(
        output ->
            output.rank() <= 2
                ? choice.targets(output.toFloats())
                : PositionSum.of(choice, output, mask));
  }

  /** The same with sums over the positions where the model itself predicts the class. */
  static TargetSelection withinPrediction(TargetChoice choice) {
    return new OfClasses(output -> PositionSum.ofPrediction(choice, requirePositions(output)));
  }

  /**
   * Cosine similarity with the model's output for another input. If the model returns one vector
   * per token, {@code [1,T,D]}, the means over the tokens are compared.
   *
   * @param output the other output
   * @param other the other input
   * @param own the input that is explained
   */
  static TargetSelection similarity(Tensor output, @Nullable ModelInput other, ModelInput own) {
    float[] otherMask = other == null ? new float[0] : other.attentionMask();
    float[] mask = own.attentionMask();
    return each -> List.of(PooledSimilarity.of(each, mask, output, otherMask));
  }

  /**
   * Targets for a detector's boxes: {@code box:N}, a class, or {@code topN}, the most confident
   * boxes.
   *
   * @param format the meaning of the columns; null if each score is a separate output, {@code
   *     [1,n]}
   */
  static TargetSelection ofBoxes(BoxChoice choice, Boxes.@Nullable Format format) {
    return output -> choice.of(output, format);
  }

  private static Tensor requirePositions(Tensor output) {
    if (output.rank() <= 2) {
      throw new CamException(
          "a mask of the target needs an output of shape [N,classes,…] with positions, found %s; leave the mask away"
              .formatted(Arrays.toString(output.shape())));
    }
    return output;
  }

  /** Class targets for an output with the classes on the second axis. */
  record OfClasses(TargetSelection targets) implements TargetSelection {
    @Override
    public List<ScoreTarget> of(Tensor output) {
      return targets.of(output);
    }

    @Override
    public boolean isOfClasses() {
      return true;
    }
  }
}
