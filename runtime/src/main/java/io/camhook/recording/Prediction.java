package io.camhook.recording;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One class that the model predicted.
 *
 * @param index class index in the model's output
 * @param label the class's name, null if unknown
 * @param probability 0 to 1
 */
public record Prediction(int index, @Nullable String label, double probability) {
  /** A test of a prediction. */
  @FunctionalInterface
  public interface Test {
    boolean holds(double probability, @Nullable String label, int index);
  }

  /** Whether the first prediction of one of the samples passes the test. */
  public static boolean anyMeets(List<List<Prediction>> samples, Test test) {
    for (List<Prediction> sample : samples) {
      if (!sample.isEmpty()) {
        Prediction first = sample.get(0);
        if (test.holds(first.probability, first.label, first.index)) {
          return true;
        }
      }
    }
    return false;
  }
}
