package io.camhook.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Shape of a plain network's flat input.
 *
 * @param sizes the sizes themselves; empty where a member tells
 * @param member field or no-argument method of the root that gives them; null where they are given
 */
public record InputShape(List<Long> sizes, @Nullable String member) {
  public InputShape {
    sizes = List.copyOf(sizes);
  }

  public static InputShape of(long... sizes) {
    return new InputShape(java.util.Arrays.stream(sizes).boxed().toList(), null);
  }

  public static InputShape in(String member) {
    return new InputShape(List.of(), member);
  }
}
