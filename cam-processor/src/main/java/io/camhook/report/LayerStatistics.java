package io.camhook.report;

import io.camhook.builtin.Summary;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Statistics of each layer's activations and gradients over steps: the model's steps if a {@code
 * stats} hook ran, otherwise captures. Not thread-safe.
 */
public final class LayerStatistics {
  private final Map<Key, Series> series = new LinkedHashMap<>();
  private final Set<Key> watched = new HashSet<>();
  private final Map<Key, boolean[]> alive = new LinkedHashMap<>();

  /** A layer and one kind of its values: {@code activation} or {@code gradient}. */
  record Key(String layer, String kind) {}

  /**
   * One step of one layer; all but {@code notFinite} are over the finite values, NaN if there are
   * none.
   *
   * @param mean arithmetic mean
   * @param std population standard deviation
   * @param min smallest value
   * @param max largest value
   * @param zeros share of values that are zero, 0 to 1
   * @param norm Euclidean norm
   * @param notFinite number of NaN and infinite values
   */
  public record Step(
      double mean, double std, double min, double max, double zeros, double norm, long notFinite) {
    /** The statistics of {@code values}. */
    public static Step of(float[] values) {
      Summary summary = Summary.of(values);
      return new Step(
          summary.mean(),
          summary.std(),
          summary.min(),
          summary.max(),
          summary.zeros(),
          summary.norm(),
          summary.nonFinite());
    }
  }

  /**
   * Channels that were zero everywhere in every capture.
   *
   * @param dead how many there were
   * @param channels number of all channels
   */
  record Dead(int dead, int channels) {}

  /** The steps of one layer in the order they came. */
  static final class Series {
    private final List<Step> steps = new ArrayList<>();
    private final List<Integer> captures = new ArrayList<>();
    private final List<int[]> histograms = new ArrayList<>();

    /** Whether the steps are captures: then each has a number and a histogram. */
    boolean isCaptured() {
      return !captures.isEmpty() && captures.size() == steps.size();
    }

    /** The first capture of each thinned step. */
    int[] captures(int limit) {
      int parts = Math.min(limit, captures.size());
      int[] first = new int[parts];
      for (int i = 0; i < parts; i++) {
        first[i] = captures.get((int) ((long) i * captures.size() / parts));
      }
      return first;
    }

    /** At most {@code limit} histograms: those of neighbours are added. */
    List<int[]> histograms(int limit) {
      int parts = Math.min(limit, histograms.size());
      List<int[]> out = new ArrayList<>(parts);
      for (int i = 0; i < parts; i++) {
        int[] sum = new int[Bins.COUNT];
        int from = (int) ((long) i * histograms.size() / parts);
        int to = (int) ((i + 1L) * histograms.size() / parts);
        for (int[] bins : histograms.subList(from, to)) {
          for (int b = 0; b < sum.length; b++) {
            sum[b] += bins[b];
          }
        }
        out.add(sum);
      }
      return out;
    }

    List<Step> steps() {
      return steps;
    }

    /**
     * At most {@code limit} steps: neighbours are joined (means and norms averaged, extremes kept,
     * counts added).
     */
    List<Step> thinned(int limit) {
      int size = steps.size();
      if (size <= limit) {
        return steps;
      }
      List<Step> out = new ArrayList<>(limit);
      for (int i = 0; i < limit; i++) {
        out.add(
            joined(
                steps.subList((int) ((long) i * size / limit), (int) ((i + 1L) * size / limit))));
      }
      return out;
    }

    /** All steps as one. */
    Step total() {
      return joined(steps);
    }

    private static Step joined(List<Step> part) {
      double mean = 0;
      double variance = 0;
      double zeros = 0;
      double norm = 0;
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      long notFinite = 0;
      int finite = 0;
      for (Step step : part) {
        notFinite += step.notFinite;
        if (Double.isNaN(step.mean)) {
          continue;
        }
        finite++;
        mean += step.mean;
        variance += step.std * step.std;
        zeros += step.zeros;
        norm += step.norm;
        min = Math.min(min, step.min);
        max = Math.max(max, step.max);
      }
      if (finite == 0) {
        double none = Double.NaN;
        return new Step(none, none, none, none, none, none, notFinite);
      }
      return new Step(
          mean / finite,
          Math.sqrt(variance / finite),
          min,
          max,
          zeros / finite,
          norm / finite,
          notFinite);
    }
  }

  /**
   * Adds the next step of a layer, as a hook saw it; {@code kind} is {@code activation} or {@code
   * gradient}.
   */
  public void add(String layer, String kind, Step step) {
    Key key = new Key(layer, kind);
    if (watched.add(key)) {
      series.remove(key);
    }
    series(key).steps.add(step);
  }

  /**
   * Adds what a capture recorded of a layer. It does not count if a hook saw every step, because
   * the capture belongs to one of them.
   */
  public void addCaptured(String layer, String kind, Step step) {
    Key key = new Key(layer, kind);
    if (!watched.contains(key)) {
      series(key).steps.add(step);
    }
  }

  /**
   * Adds what a capture recorded of a layer, with its histogram and which channels were alive.
   *
   * @param capture number of the capture in the report
   * @param values {@code [channels, positions]}
   */
  public void addCaptured(String layer, String kind, float[] values, int channels, int capture) {
    Key key = new Key(layer, kind);
    if (!watched.contains(key)) {
      Series of = series(key);
      of.steps.add(Step.of(values));
      of.captures.add(capture);
      of.histograms.add(Bins.of(values));
    }
    boolean[] seen = alive.computeIfAbsent(key, k -> new boolean[channels]);
    int positions = channels == 0 ? 0 : values.length / channels;
    for (int c = 0; c < Math.min(channels, seen.length); c++) {
      for (int p = c * positions; !seen[c] && p < (c + 1) * positions; p++) {
        seen[c] = values[p] != 0;
      }
    }
  }

  /** Null if no capture has the layer. */
  @Nullable Dead dead(Key key) {
    boolean[] seen = alive.get(key);
    if (seen == null) {
      return null;
    }
    int dead = 0;
    for (boolean channel : seen) {
      dead += channel ? 0 : 1;
    }
    return new Dead(dead, seen.length);
  }

  private Series series(Key key) {
    return series.computeIfAbsent(key, k -> new Series());
  }

  /** Whether there is nothing to show. */
  public boolean isEmpty() {
    return series.isEmpty();
  }

  Map<Key, Series> series() {
    return series;
  }
}
