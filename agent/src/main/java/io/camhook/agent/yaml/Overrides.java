package io.camhook.agent.yaml;

import org.jspecify.annotations.Nullable;

/** Values that take precedence over the file's. */
@FunctionalInterface
public interface Overrides {
  Overrides NONE = key -> null;

  /** The value for a dotted key such as {@code sampling.rate}, or null. */
  @Nullable Given find(String key);

  /**
   * A value and its source.
   *
   * @param text the value as written
   * @param source for messages, {@code agent option sampling.rate}
   */
  record Given(String text, String source) {}
}
