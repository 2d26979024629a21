package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The class axis of an output {@code [1,…]}; a class's score is the sum over the other axes.
 * Immutable.
 *
 * @param axis from 1; 0 if the output has only one axis
 * @param notice a notice about the choice for the user; null if there was no choice
 */
record ClassAxis(int axis, @Nullable String notice) {

  /**
   * Chooses the class axis.
   *
   * @param wanted the user's choice; null if there is none
   * @param inputs the model's inputs
   * @param labels number of class names; 0 if none are known
   * @param selection the targets, which may need a class that one axis does not have
   * @throws CamException if several axes are possible; the message names them and the option
   */
  static ClassAxis of(
      Tensor output,
      @Nullable Integer wanted,
      List<Tensor> inputs,
      int labels,
      TargetSelection selection) {
    int rank = output.rank();
    if (wanted != null) {
      int axis = wanted < 0 ? wanted + rank : wanted;
      if (axis < 1 || axis >= rank) {
        throw new CamException(
            "--class-axis %d: the output has shape %s; expected one of its axes 1 to %d"
                .formatted(wanted, Arrays.toString(output.shape()), rank - 1));
      }
      return new ClassAxis(axis, null);
    }
    if (rank <= 2 || !selection.isOfClasses()) {
      return new ClassAxis(Math.min(1, rank - 1), null);
    }
    int axis = bySize(output, inputs, labels);
    if (axis > 0) {
      return new ClassAxis(axis, null);
    }
    return rank == 3 ? smaller(output, selection) : new ClassAxis(1, null);
  }

  /** The axis other than those with the sizes of an input; 0 if there is none. */
  private static int bySize(Tensor output, List<Tensor> inputs, int labels) {
    int rank = output.rank();
    int last = rank - 1;
    if (labels > 1 && (output.size(1) == labels) != (output.size(last) == labels)) {
      return output.size(1) == labels ? 1 : last;
    }
    for (Tensor input : inputs) {
      if (rank == 3 && (input.rank() == 2 || input.rank() == 3)) {
        boolean positionsFirst = false;
        boolean positionsLast = false;
        for (int d = 1; d < input.rank(); d++) {
          positionsFirst |= input.size(d) > 1 && output.size(1) == input.size(d);
          positionsLast |= input.size(d) > 1 && output.size(2) == input.size(d);
        }
        if (positionsFirst != positionsLast) {
          return positionsFirst ? 2 : 1;
        }
      }
      if (rank > 3 && input.rank() == rank) {
        int from = InputForm.hasChannelsLast(input) ? 1 : 2;
        boolean first = keepsProportions(output, 2, input, from);
        boolean lastAxis = keepsProportions(output, 1, input, from);
        if (first != lastAxis) {
          return first ? 1 : last;
        }
      }
    }
    return 0;
  }

  private static boolean keepsProportions(Tensor output, int first, Tensor input, int from) {
    double scale = (double) output.size(first) / input.size(from);
    for (int d = 1; d + 2 < input.rank(); d++) {
      if (Math.abs(output.size(first + d) - scale * input.size(from + d)) > 1) {
        return false;
      }
    }
    return true;
  }

  /**
   * For {@code [1,boxes,columns]} or {@code [1,columns,boxes]}: there are more boxes than columns.
   */
  private static ClassAxis smaller(Tensor output, TargetSelection selection) {
    String shape = Arrays.toString(output.shape());
    if (output.size(1) == output.size(2)) {
      throw new CamException(
          "the output has shape %s, and its classes may be on axis 1 or 2; say which with --class-axis"
              .formatted(shape));
    }
    int axis = output.size(1) < output.size(2) ? 1 : 2;
    ClassAxis chosen = new ClassAxis(axis, null);
    try {
      selection.of(chosen.front(output));
    } catch (CamException e) {
      throw new CamException(
          "the output has shape %s: axis %d has %d entries and axis %d has %d, and which are the classes is not clear; say it with --class-axis %d or %d (%s)"
              .formatted(
                  shape,
                  axis,
                  output.size(axis),
                  3 - axis,
                  output.size(3 - axis),
                  axis,
                  3 - axis,
                  e.getMessage()));
    }
    return new ClassAxis(
        axis,
        "the output has shape %s; axis %d is taken as the class axis, and scores are summed over the %d entries of axis %d; use --class-axis %d for the other"
            .formatted(shape, axis, output.size(3 - axis), 3 - axis, 3 - axis));
  }

  /** The output {@code [n,…]} with the classes second. */
  Tensor front(Tensor output) {
    return axis <= 1 ? output : turned(output.toFloats(), output.shape(), true);
  }

  /** The targets of {@link #front}, adapted to the output as returned. */
  List<ScoreTarget> asReturned(List<ScoreTarget> targets, Tensor output) {
    if (axis <= 1) {
      return targets;
    }
    long[] shape = output.shape();
    shape[0] = 1;
    List<ScoreTarget> turned = new ArrayList<>();
    targets.forEach(target -> turned.add(new Turned(target, this, shape)));
    return List.copyOf(turned);
  }

  /** The class that entry {@code i} of one sample's output belongs to. */
  int classOf(int i, Tensor output) {
    if (axis == 0) {
      return i;
    }
    long inner = 1;
    for (int d = axis + 1; d < output.rank(); d++) {
      inner *= output.size(d);
    }
    return (int) (i / inner % output.size(axis));
  }

  private Tensor turned(float[] values, long[] returned, boolean toFront) {
    long outer = 1;
    for (int d = 1; d < axis; d++) {
      outer *= returned[d];
    }
    int classes = (int) returned[axis];
    int n = (int) returned[0];
    int inner = (int) (values.length / (n * outer * classes));
    float[] out = new float[values.length];
    for (int s = 0, from = 0; s < n; s++) {
      int sample = s * (int) outer * classes * inner;
      for (int o = 0; o < outer; o++) {
        for (int c = 0; c < classes; c++) {
          for (int i = 0; i < inner; i++, from++) {
            int front = sample + (c * (int) outer + o) * inner + i;
            out[toFront ? front : from] = values[toFront ? from : front];
          }
        }
      }
    }
    long[] moved = returned.clone();
    if (toFront) {
      moved[1] = classes;
      System.arraycopy(returned, 1, moved, 2, axis - 1);
    }
    return Tensor.ofFloats(out, moved);
  }

  /**
   * Adapts a target for outputs with the classes on the second axis to an output with the classes
   * on a later axis.
   */
  private record Turned(ScoreTarget target, ClassAxis classes, long[] shape)
      implements ScoreTarget {
    @Override
    public String name() {
      return target.name();
    }

    @Override
    public double score(float[] output) {
      return target.score(classes.turned(output, shape, true).toFloats());
    }

    @Override
    public float[] gradientAtLogits(float[] output) {
      float[] gradient = target.gradientAtLogits(classes.turned(output, shape, true).toFloats());
      return classes.turned(gradient, shape, false).toFloats();
    }
  }
}
