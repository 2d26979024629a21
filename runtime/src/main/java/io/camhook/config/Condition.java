package io.camhook.config;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code sampling.when}: the condition that a pass's result must meet to be captured.
 *
 * @param anyOf alternatives, each of which is a list of terms that all hold
 */
public record Condition(List<List<Term>> anyOf) {
  public Condition {
    anyOf = anyOf.stream().map(List::copyOf).toList();
  }

  /** Whether a prediction is of the wanted kind. */
  public boolean holds(double confidence, @Nullable String label, int index) {
    return anyOf.stream()
        .anyMatch(terms -> terms.stream().allMatch(term -> term.holds(confidence, label, index)));
  }

  /** One comparison. */
  public sealed interface Term {
    boolean holds(double confidence, @Nullable String label, int index);
  }

  /**
   * Compares the probability of the most probable class.
   *
   * @param below whether it must be below the bound, else above
   * @param orEqual whether the bound itself is included
   */
  public record Confidence(boolean below, boolean orEqual, double bound) implements Term {
    @Override
    public boolean holds(double confidence, @Nullable String label, int index) {
      return orEqual && confidence == bound || (below ? confidence < bound : confidence > bound);
    }
  }

  /**
   * Looks for the most probable class in a list, by name or number.
   *
   * @param in whether it must be one of them, else none
   */
  public record OneOf(boolean in, Set<String> classes) implements Term {
    public OneOf {
      classes = Set.copyOf(classes);
    }

    @Override
    public boolean holds(double confidence, @Nullable String label, int index) {
      boolean found =
          (label != null && classes.contains(label)) || classes.contains(Integer.toString(index));
      return found == in;
    }
  }
}
