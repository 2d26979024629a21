package io.camhook.onnx.graph;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known about a value before the model runs.
 *
 * @param element the type of its elements
 * @param dimensions its dimensions; null if even the rank is unknown
 */
public record TensorType(ElementType element, @Nullable List<Dimension> dimensions) {
  public TensorType {
    dimensions = dimensions == null ? null : List.copyOf(dimensions);
  }

  /** A type of fixed dimensions; those below 0 vary. */
  public static TensorType of(ElementType element, long... sizes) {
    return new TensorType(element, java.util.Arrays.stream(sizes).mapToObj(Dimension::of).toList());
  }
}
