package io.camhook.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Shape of a plain network's flat input.
 *
 * @param sizes the sizes; empty if they are read from {@code member}
 * @param member field or no-argument method of the root that gives them; null if {@code sizes} is
 *     set
 */
public record FlatInputShape(List<Long> sizes, @Nullable String member) {
  public FlatInputShape {
    sizes = List.copyOf(sizes);
  }

  public static FlatInputShape of(long... sizes) {
    return new FlatInputShape(java.util.Arrays.stream(sizes).boxed().toList(), null);
  }

  public static FlatInputShape in(String member) {
    return new FlatInputShape(List.of(), member);
  }
}
