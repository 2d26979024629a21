package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.camhook.config.CamhookConfig;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The class scores that a pass ended with: {@code [N,C]}, or {@code [N,C,…]} where a class's score
 * is the sum over the positions; {@code [C]} counts as one sample.
 */
final class Scores {
  private static final int TOP = 5;
  private static final double SUMS_TO_ONE = 1e-3;

  private final NDArray logits;
  private final int samples;
  private final int classes;
  private final float[] values;

  private Scores(NDArray logits, int samples, int classes, float[] values) {
    this.logits = logits;
    this.samples = samples;
    this.classes = classes;
    this.values = values;
  }

  /** The first of a model's outputs that can be class scores; null if there is none. */
  static @Nullable Scores of(NDList outputs, NDManager scratch) {
    for (NDArray output : outputs) {
      Shape shape = output.getShape();
      int rank = shape.dimension();
      if (!Tensors.isFloating(output) || rank == 0 || shape.size() == 0) {
        continue;
      }
      int samples = rank == 1 ? 1 : (int) shape.get(0);
      int classes = (int) (rank == 1 ? shape.get(0) : shape.get(1));
      return new Scores(output, samples, classes, values(output, rank, scratch));
    }
    return null;
  }

  private static float[] values(NDArray output, int rank, NDManager scratch) {
    NDArray plain = Tensors.detached(output, scratch).toType(DataType.FLOAT32, false);
    if (rank > 2) {
      plain = plain.sum(IntStream.range(2, rank).toArray());
    }
    return plain.toFloatArray();
  }

  NDArray logits() {
    return logits;
  }

  /**
   * The scalars to differentiate, by sample and then by n.
   *
   * @throws IllegalArgumentException if the model has no such class
   */
  List<Target> targets(CamhookConfig.Target wanted, List<String> names) {
    List<Target> targets = new ArrayList<>();
    for (int sample = 0; sample < samples; sample++) {
      int[] indices = indices(wanted, names, sample);
      for (int n = 0; n < indices.length; n++) {
        targets.add(
            new Target(sample, n, indices[n], name(names, indices[n]), value(sample, indices[n])));
      }
    }
    return targets;
  }

  private int[] indices(CamhookConfig.Target wanted, List<String> names, int sample) {
    return switch (wanted.kind()) {
      case TOP -> best(sample, wanted.count());
      case CLASS -> new int[] {inRange(wanted.classIndex())};
      case LABEL -> new int[] {labelled(wanted.label(), names)};
      case NONE -> new int[0];
    };
  }

  private int inRange(int index) {
    if (index < 0 || index >= classes) {
      throw new IllegalArgumentException(
          "target class:%d: the model has the classes 0 to %d".formatted(index, classes - 1));
    }
    return index;
  }

  private int labelled(@Nullable String label, List<String> names) {
    int index = names.indexOf(label);
    if (index < 0) {
      throw new IllegalArgumentException(
          "target label:%s: not among the %d names in the entry's labels file"
              .formatted(label, names.size()));
    }
    return inRange(index);
  }

  /** ∂(Σ over samples of target n's score)/∂logits: ones at the targets, zeros elsewhere. */
  NDArray seed(List<Target> targets, int n, NDManager owner) {
    float[] ones = new float[samples * classes];
    for (Target target : targets) {
      if (target.n() == n) {
        ones[target.sample() * classes + target.index()] = 1;
      }
    }
    Shape shape = logits.getShape();
    int rank = shape.dimension();
    NDArray seed = owner.create(ones, rank == 1 ? shape : new Shape(samples, classes));
    if (rank > 2) {
      long[] sizes = new long[rank];
      Arrays.fill(sizes, 1);
      sizes[0] = samples;
      sizes[1] = classes;
      seed = seed.reshape(new Shape(sizes)).broadcast(shape);
    }
    return seed.toType(logits.getDataType(), false).toDevice(logits.getDevice(), false);
  }

  /** Per sample the most probable classes, best first. */
  List<List<Prediction>> predictions(List<String> names) {
    List<List<Prediction>> all = new ArrayList<>();
    for (int sample = 0; sample < samples; sample++) {
      double[] probabilities = probabilities(sample);
      List<Prediction> top = new ArrayList<>();
      for (int index : best(sample, TOP)) {
        top.add(new Prediction(index, name(names, index), probabilities[index]));
      }
      all.add(top);
    }
    return all;
  }

  /** The {@code count} classes with the highest scores, best first; the lower index wins a tie. */
  private int[] best(int sample, int count) {
    int[] best = new int[Math.min(count, classes)];
    boolean[] taken = new boolean[classes];
    for (int i = 0; i < best.length; i++) {
      int top = -1;
      for (int c = 0; c < classes; c++) {
        if (!taken[c] && (top < 0 || value(sample, c) > value(sample, top))) {
          top = c;
        }
      }
      taken[top] = true;
      best[i] = top;
    }
    return best;
  }

  /** Softmax, unless the model ends in one. */
  private double[] probabilities(int sample) {
    double[] p = new double[classes];
    double sum = 0;
    double max = Double.NEGATIVE_INFINITY;
    boolean inUnitRange = true;
    for (int c = 0; c < classes; c++) {
      p[c] = value(sample, c);
      sum += p[c];
      max = Math.max(max, p[c]);
      inUnitRange &= p[c] >= 0 && p[c] <= 1;
    }
    if (inUnitRange && Math.abs(sum - 1) < SUMS_TO_ONE) {
      return p;
    }
    double total = 0;
    for (int c = 0; c < classes; c++) {
      p[c] = Math.exp(p[c] - max);
      total += p[c];
    }
    for (int c = 0; c < classes; c++) {
      p[c] /= total;
    }
    return p;
  }

  private float value(int sample, int index) {
    return values[sample * classes + index];
  }

  private static @Nullable String name(List<String> names, int index) {
    return index < names.size() ? names.get(index) : null;
  }
}
