package io.camhook.capture;

import io.camhook.config.CamhookConfig;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The class scores at the end of a pass, one row per sample: selects the explained and the
 * predicted classes.
 */
public final class ClassScores {
  private static final int TOP = 5;
  private static final double SUMS_TO_ONE = 1e-3;

  private final float[] values;
  private final int samples;
  private final int classes;

  /**
   * @param values {@code [samples, classes]}, row by row, not copied
   */
  public ClassScores(float[] values, int samples, int classes) {
    if (values.length != (long) samples * classes || values.length == 0) {
      throw new IllegalArgumentException(
          "%d samples of %d classes need as many scores, found %d"
              .formatted(samples, classes, values.length));
    }
    this.values = values;
    this.samples = samples;
    this.classes = classes;
  }

  /**
   * The scalars to differentiate, by sample and then by n.
   *
   * @param names names of the classes, empty if unknown
   * @throws NoSuchTargetException if the model has no such class
   */
  public List<Target> targets(CamhookConfig.Target wanted, List<String> names) {
    List<Target> targets = new ArrayList<>();
    for (int sample = 0; sample < samples; sample++) {
      int[] indices = indices(wanted, names, sample);
      for (int n = 0; n < indices.length; n++) {
        int index = indices[n];
        targets.add(new Target(sample, n, index, name(names, index), value(sample, index)));
      }
    }
    return targets;
  }

  /**
   * The scalars that have been differentiated.
   *
   * @param indices the class of each sample
   * @throws NoSuchTargetException if the model has no such class
   */
  public List<Target> targets(List<Integer> indices, List<String> names) {
    List<Target> targets = new ArrayList<>();
    for (int sample = 0; sample < indices.size(); sample++) {
      int index = inRange(indices.get(sample));
      targets.add(new Target(sample, 0, index, name(names, index), value(sample, index)));
    }
    return targets;
  }

  private int[] indices(CamhookConfig.Target wanted, List<String> names, int sample) {
    return switch (wanted.kind()) {
      case TOP -> best(sample, wanted.count());
      case CLASS -> new int[] {inRange(wanted.classIndex())};
      case LABEL -> new int[] {labelled(wanted.label(), names)};
      case SIMILARITY, LOSS, NONE -> new int[0];
    };
  }

  private int inRange(int index) {
    requireClass(index, classes);
    return index;
  }

  /**
   * Makes sure that a model has a class.
   *
   * @param classes how many it has
   * @throws NoSuchTargetException if it has not
   */
  public static void requireClass(int index, int classes) {
    if (index < 0 || index >= classes) {
      throw new NoSuchTargetException(
          "target class:%d: the model has the classes 0 to %d".formatted(index, classes - 1));
    }
  }

  private int labelled(@Nullable String label, List<String> names) {
    int index = names.indexOf(label);
    if (index < 0) {
      throw new NoSuchTargetException(
          "target label:%s: not among the %d names in the entry's labels file"
              .formatted(label, names.size()));
    }
    return inRange(index);
  }

  /** ∂(Σ over samples of target {@code n}'s score)/∂scores: ones at the targets, else zeros. */
  public float[] seed(List<Target> targets, int n) {
    float[] seed = new float[values.length];
    for (Target target : targets) {
      if (target.n() == n) {
        seed[target.sample() * classes + target.index()] = 1;
      }
    }
    return seed;
  }

  /** Per sample the most probable classes, best first: at most five. */
  public List<List<Prediction>> predictions(List<String> names) {
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

  /** Softmax, unless the scores are probabilities already. */
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
