package io.camhook.cam.metrics;

import io.camhook.cam.FloatMap;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Similarity of two maps of the same shape. */
public final class MapSimilarity {

  private MapSimilarity() {}

  /** Pearson's correlation; 0 if a map is constant. */
  public static double correlation(FloatMap a, FloatMap b) {
    return correlation(toDoubles(a), toDoubles(b));
  }

  /** Spearman's rank correlation, ties at their mean rank; 0 if a map is constant. */
  public static double rankCorrelation(FloatMap a, FloatMap b) {
    return correlation(ranks(a), ranks(b));
  }

  private static double correlation(double[] a, double[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "maps of %d and %d values cannot be compared".formatted(a.length, b.length));
    }
    double meanA = Arrays.stream(a).average().orElse(0);
    double meanB = Arrays.stream(b).average().orElse(0);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  }

  private static double[] toDoubles(FloatMap map) {
    double[] out = new double[map.values().length];
    for (int i = 0; i < out.length; i++) {
      out[i] = map.values()[i];
    }
    return out;
  }

  private static double[] ranks(FloatMap map) {
    float[] values = map.values();
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int from = 0; from < order.length; ) {
      int to = from;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + to - 1) / 2.0;
      }
      from = to;
    }
    return ranks;
  }
}
