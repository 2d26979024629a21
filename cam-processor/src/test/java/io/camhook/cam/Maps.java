package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;

/** Comparing maps, and the worst errors seen. */
public final class Maps {
  private final Map<String, Double> worst = new TreeMap<>();

  /** Largest absolute difference of two maps of one shape. */
  public static double difference(FloatMap a, FloatMap b) {
    assertThat(a.shape()).containsExactly(b.shape());
    double largest = 0;
    for (int i = 0; i < a.values().length; i++) {
      largest = Math.max(largest, Math.abs(a.values()[i] - b.values()[i]));
    }
    return largest;
  }

  public static double dot(FloatMap a, FloatMap b) {
    double sum = 0;
    for (int i = 0; i < a.values().length; i++) {
      sum += (double) a.values()[i] * b.values()[i];
    }
    return sum;
  }

  public static double magnitude(FloatMap map) {
    return Math.max(Math.abs(map.min()), Math.abs(map.max()));
  }

  /** Requires that the maps are equal within {@code tolerance}, and notes by how much. */
  public void require(String kind, FloatMap actual, FloatMap expected, double tolerance) {
    double error = difference(actual, expected);
    worst.merge(kind, error, Math::max);
    assertThat(error).as(kind).isLessThanOrEqualTo(tolerance);
  }

  public void note(String kind, double error) {
    worst.merge(kind, error, Math::max);
  }

  public void print() {
    worst.forEach((kind, error) -> System.out.printf("%-36s %.1e%n", kind, error));
  }
}
