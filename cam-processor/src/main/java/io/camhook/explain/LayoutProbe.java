package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Finds which axes of the layers' outputs follow which axis of an input. It changes the beginning
 * of the input along one axis, then the end, and compares where the layers' outputs change: along a
 * spatial axis the change moves from one end towards the other, along a channel axis it stays in
 * place. Works for any engine; takes two runs per axis, on first use. Not thread-safe.
 */
final class LayoutProbe {
  /** The share of an axis that is changed at either end. */
  private static final double SHARE = 0.25;

  private final ModelSession session;
  private final List<Tensor> inputs;
  private final int index;
  private final Map<Integer, Map<LayerOutput, double[]>> moves = new HashMap<>();
  private @Nullable Map<LayerOutput, Tensor> base;

  /**
   * @param index which of the inputs is changed
   */
  LayoutProbe(ModelSession session, List<Tensor> inputs, int index) {
    this.session = session;
    this.inputs = List.copyOf(inputs);
    this.index = index;
  }

  /** The axes of the input that can be changed: all but that of the batch. */
  List<Integer> axes() {
    Tensor input = inputs.get(index);
    List<Integer> axes = new ArrayList<>();
    for (int axis = 1; axis < input.rank(); axis++) {
      if (input.size(axis) > 1) {
        axes.add(axis);
      }
    }
    return axes;
  }

  /**
   * How far the change moves along each axis of a layer's output, when it moves from the beginning
   * to the end of an axis of the input: 1 is from end to end, 0 not at all.
   *
   * @return null if nothing changes
   */
  double @Nullable [] moved(LayerOutput layer, int axis) {
    return moves.computeIfAbsent(axis, this::measure).get(layer);
  }

  /** Whether what the layer returns depends on the input at all. */
  boolean depends(LayerOutput layer) {
    Tensor input = inputs.get(index);
    int axis = input.rank() - 1;
    Tensor before = base().get(layer);
    Tensor after =
        axis < 0 ? null : run(changed(input, axis, 0, (int) input.size(axis))).get(layer);
    return before != null && after != null && !before.data().equals(after.data());
  }

  private Map<LayerOutput, double[]> measure(int axis) {
    Tensor input = inputs.get(index);
    int size = (int) input.size(axis);
    int part = (int) Math.ceil(size * SHARE);
    Map<LayerOutput, Tensor> begin = run(changed(input, axis, 0, part));
    Map<LayerOutput, Tensor> end = run(changed(input, axis, size - part, size));
    Map<LayerOutput, double[]> found = new HashMap<>();
    base()
        .forEach(
            (layer, before) -> {
              Tensor one = begin.get(layer);
              Tensor other = end.get(layer);
              if (one != null && other != null) {
                double[] from = centre(before, one);
                double[] to = centre(before, other);
                if (from.length > 0 && to.length > 0) {
                  double[] move = new double[from.length];
                  for (int d = 0; d < move.length; d++) {
                    move[d] = to[d] - from[d];
                  }
                  found.put(layer, move);
                }
              }
            });
    return found;
  }

  private Map<LayerOutput, Tensor> base() {
    Map<LayerOutput, Tensor> known = base;
    if (known == null) {
      known = run(inputs.get(index));
      base = known;
    }
    return known;
  }

  private Map<LayerOutput, Tensor> run(Tensor changed) {
    List<Tensor> all = new ArrayList<>(inputs);
    all.set(index, changed);
    return session.run(all, null, true).activations();
  }

  /** The centre of the squared change along each axis, 0 to 1; empty if nothing changed. */
  private static double[] centre(Tensor before, Tensor after) {
    float[] a = before.toFloats();
    float[] b = after.toFloats();
    if (a.length != b.length) {
      return new double[0];
    }
    long[] shape = before.shape();
    double[] centre = new double[shape.length];
    double total = 0;
    for (int i = 0; i < a.length; i++) {
      double change = (double) b[i] - a[i];
      double weight = change * change;
      if (!(weight > 0) || Double.isInfinite(weight)) {
        continue;
      }
      total += weight;
      int rest = i;
      for (int d = shape.length - 1; d >= 0; d--) {
        int size = (int) shape[d];
        int at = rest % size;
        rest /= size;
        centre[d] += size > 1 ? weight * at / (size - 1) : 0;
      }
    }
    if (total == 0) {
      return new double[0];
    }
    for (int d = 0; d < centre.length; d++) {
      centre[d] /= total;
    }
    return centre;
  }

  /**
   * The input with one part changed: for floating-point inputs noise with the input's standard
   * deviation is added; integers, which may be ids, are replaced by those from elsewhere in the
   * input.
   */
  private static Tensor changed(Tensor input, int axis, int from, int to) {
    int size = (int) input.size(axis);
    int inner = 1;
    for (int d = axis + 1; d < input.rank(); d++) {
      inner *= (int) input.size(d);
    }
    if (InputForm.isFloating(input)) {
      float[] values = input.toFloats();
      double deviation = deviation(values);
      SplittableRandom random = new SplittableRandom(0);
      for (int i = 0; i < values.length; i++) {
        int at = i / inner % size;
        if (at >= from && at < to) {
          values[i] += (float) ((random.nextBoolean() ? 1 : -1) * deviation);
        }
      }
      return Tensor.ofFloats(values, input.shape()).to(input.dtype());
    }
    int width = input.dtype().bytes();
    byte[] old = new byte[(int) input.byteSize()];
    input.data().get(old);
    byte[] bytes = old.clone();
    int n = old.length / width;
    for (int i = 0; i < n; i++) {
      int at = i / inner % size;
      if (at >= from && at < to) {
        int other = i + ((at + size / 2) % size - at) * inner;
        System.arraycopy(old, other * width, bytes, i * width, width);
      }
    }
    return new Tensor(
        input.dtype(), input.shape(), ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
  }

  private static double deviation(float[] values) {
    double sum = 0;
    double squares = 0;
    for (float v : values) {
      sum += v;
      squares += (double) v * v;
    }
    double mean = sum / values.length;
    double variance = squares / values.length - mean * mean;
    return variance > 0 ? Math.sqrt(variance) : 1;
  }
}
