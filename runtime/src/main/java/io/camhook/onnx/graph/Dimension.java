package io.camhook.onnx.graph;

import org.jspecify.annotations.Nullable;

/**
 * One dimension of a value.
 *
 * @param size the size if it is the same for every input, otherwise -1
 * @param symbol the name of a varying size; dimensions with the same name have the same size
 */
public record Dimension(long size, @Nullable String symbol) {
  /** An unknown dimension. */
  public static final Dimension UNKNOWN = new Dimension(-1, null);

  public static Dimension of(long size) {
    return size < 0 ? UNKNOWN : new Dimension(size, null);
  }

  public boolean isFixed() {
    return size >= 0;
  }

  /** Whether the two have the same size for every input. */
  public boolean sameAs(Dimension other) {
    if (isFixed() || other.isFixed()) {
      return size == other.size;
    }
    return symbol != null && symbol.equals(other.symbol);
  }

  @Override
  public String toString() {
    return isFixed() ? Long.toString(size) : symbol == null ? "?" : symbol;
  }
}
