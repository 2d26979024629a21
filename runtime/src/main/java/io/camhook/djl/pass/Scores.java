package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.camhook.capture.ClassScores;
import io.camhook.capture.NoSuchTargetException;
import io.camhook.config.CamhookConfig;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The class scores at the end of a pass: {@code [N,C]}, or {@code [N,C,…]} where a class's score is
 * the sum over the positions; {@code [C]} counts as one sample.
 */
public final class Scores {
  private static final List<String> NAMES = List.of("logits", "out", "output", "scores");

  private final NDArray logits;
  private final int samples;
  private final int classes;
  private final ClassScores scores;

  private final int axis;

  private Scores(NDArray logits, int samples, int classes, int axis, float[] values) {
    this.logits = logits;
    this.axis = axis;
    this.samples = samples;
    this.classes = classes;
    this.scores = new ClassScores(values, samples, classes);
  }

  /** The scores among a model's outputs; null if there are none. */
  static @Nullable Scores of(NDList outputs, CamhookConfig.Scored where, NDManager scratch) {
    NDArray output = where.output() == null ? among(outputs) : named(outputs, where.output());
    if (output == null) {
      return null;
    }
    Shape shape = output.getShape();
    int rank = shape.dimension();
    int axis = where.classAxis() == null ? 1 : where.classAxis();
    if (rank > 1 && axis >= rank) {
      throw new NoSuchTargetException(
          "classAxis: %d, and its scores have shape %s; expected 1 to %d"
              .formatted(axis, shape, rank - 1));
    }
    int samples = rank == 1 ? 1 : (int) shape.get(0);
    int classes = (int) (rank == 1 ? shape.get(0) : shape.get(axis));
    return new Scores(output, samples, classes, axis, values(output, rank, axis, scratch));
  }

  /** The output with that key, or at that position; null if it holds no numbers. */
  public static @Nullable NDArray named(List<NDArray> outputs, String wanted) {
    NDArray found = null;
    for (NDArray output : outputs) {
      found = wanted.equals(output.getName()) ? output : found;
    }
    if (found == null && wanted.matches("\\d{1,6}") && Integer.parseInt(wanted) < outputs.size()) {
      found = outputs.get(Integer.parseInt(wanted));
    }
    if (found == null) {
      throw new NoSuchTargetException(
          "output: %s, and it returns %d outputs %s"
              .formatted(
                  wanted,
                  outputs.size(),
                  outputs.stream().map(each -> each.getName() + " " + each.getShape()).toList()));
    }
    return Tensors.isFloating(found) || Tensors.isUnknown(found) ? found : null;
  }

  /**
   * The first output that can be class scores. The order of a dict's entries is arbitrary, so in
   * that case the entry with a usual name is taken.
   */
  public static @Nullable NDArray among(List<NDArray> outputs) {
    List<NDArray> possible =
        outputs.stream()
            .filter(
                output ->
                    (Tensors.isFloating(output) || Tensors.isUnknown(output))
                        && output.getShape().dimension() > 0
                        && output.getShape().size() > 0)
            .toList();
    for (String name : NAMES) {
      for (NDArray output : possible) {
        if (name.equals(output.getName())) {
          return output;
        }
      }
    }
    return possible.isEmpty() ? null : possible.get(0);
  }

  /**
   * A model's outputs in the order of {@code output.N}: the model's order, except for a dict, whose
   * order is arbitrary: its class scores come first.
   */
  public static List<NDArray> inOrder(List<NDArray> outputs, @Nullable String wanted) {
    NDArray scores = wanted == null ? among(outputs) : named(outputs, wanted);
    if (scores == null || (scores.getName() == null && wanted == null)) {
      return outputs;
    }
    List<NDArray> ordered = new ArrayList<>();
    ordered.add(scores);
    outputs.stream().filter(output -> output != scores).forEach(ordered::add);
    return ordered;
  }

  private static float[] values(NDArray output, int rank, int axis, NDManager scratch) {
    NDArray plain = Tensors.detached(output, scratch).toType(DataType.FLOAT32, false);
    if (rank > 2) {
      plain = plain.sum(IntStream.range(1, rank).filter(d -> d != axis).toArray());
    }
    return plain.toFloatArray();
  }

  NDArray logits() {
    return logits;
  }

  /** The explained scores, and what the scores predict. */
  ClassScores classes() {
    return scores;
  }

  /** ∂(Σ over samples of target n's score)/∂logits: ones at the targets, zeros elsewhere. */
  NDArray seed(List<Target> targets, int n, NDManager owner) {
    Shape shape = logits.getShape();
    int rank = shape.dimension();
    NDArray seed =
        owner.create(scores.seed(targets, n), rank == 1 ? shape : new Shape(samples, classes));
    if (rank > 2) {
      long[] sizes = new long[rank];
      Arrays.fill(sizes, 1);
      sizes[0] = samples;
      sizes[axis] = classes;
      seed = seed.reshape(new Shape(sizes)).broadcast(shape);
    }
    seed = Tensors.inTypeOf(logits, seed.toDevice(logits.getDevice(), false), owner);
    // A gradient may be the seed itself, whose memory is a buffer that the garbage collector frees.
    return Tensors.copyOf(seed, owner);
  }
}
