package io.camhook.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Statistics of each layer's activations and gradients over steps (captures, or training steps).
 * Not thread-safe.
 */
public final class LayerStatistics {
  private final Map<Key, Series> series = new LinkedHashMap<>();

  /** A layer and what of it: {@code activation} or {@code gradient}. */
  record Key(String layer, String kind) {}

  /**
   * One step of one layer.
   *
   * @param mean over finite values
   * @param std population standard deviation over finite values
   * @param min smallest finite value
   * @param max largest finite value
   * @param zeros share of values that are zero, 0 to 1
   * @param notFinite number of NaN and infinite values
   */
  public record Step(
      double mean, double std, double min, double max, double zeros, long notFinite) {
    /** The statistics of {@code values}, accumulated in double precision. */
    public static Step of(float[] values) {
      double sum = 0;
      double squares = 0;
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      long zeros = 0;
      long finite = 0;
      for (float v : values) {
        if (!Float.isFinite(v)) {
          continue;
        }
        finite++;
        sum += v;
        squares += (double) v * v;
        min = Math.min(min, v);
        max = Math.max(max, v);
        if (v == 0) {
          zeros++;
        }
      }
      if (finite == 0) {
        return new Step(Double.NaN, Double.NaN, Double.NaN, Double.NaN, 0, values.length);
      }
      double mean = sum / finite;
      double std = Math.sqrt(Math.max(0, squares / finite - mean * mean));
      return new Step(mean, std, min, max, (double) zeros / values.length, values.length - finite);
    }
  }

  /** The steps of one layer in the order they came. */
  static final class Series {
    private final List<Step> steps = new ArrayList<>();

    List<Step> steps() {
      return steps;
    }

    /**
     * At most {@code limit} steps: neighbours are joined (means averaged, extremes kept, counts
     * added).
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
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      long notFinite = 0;
      int finite = 0;
      for (Step step : part) {
        notFinite += step.notFinite;
        zeros += step.zeros;
        if (Double.isNaN(step.mean)) {
          continue;
        }
        finite++;
        mean += step.mean;
        variance += step.std * step.std;
        min = Math.min(min, step.min);
        max = Math.max(max, step.max);
      }
      if (finite == 0) {
        return new Step(Double.NaN, Double.NaN, Double.NaN, Double.NaN, 0, notFinite);
      }
      return new Step(
          mean / finite, Math.sqrt(variance / finite), min, max, zeros / part.size(), notFinite);
    }
  }

  /** Adds the next step of a layer; {@code kind} is {@code activation} or {@code gradient}. */
  public void add(String layer, String kind, Step step) {
    series.computeIfAbsent(new Key(layer, kind), key -> new Series()).steps.add(step);
  }

  Map<Key, Series> series() {
    return series;
  }
}
