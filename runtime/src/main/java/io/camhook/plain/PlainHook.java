package io.camhook.plain;

import org.jspecify.annotations.Nullable;

/**
 * A listener for calls of a plain network's modules. Values are the network's own tensors, not
 * copies, and null if the call has none. A returned value replaces the given one; null keeps it.
 * Exceptions from a hook reach the application.
 */
public interface PlainHook {
  /**
   * Whether {@link #afterForward} is also called, without an output, when forward or a hook before
   * it failed; what it then returns or throws is dropped.
   */
  default boolean alwaysCall() {
    return false;
  }

  /** Forward begins. */
  default @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
    return null;
  }

  /** Forward has returned. */
  default @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    return null;
  }

  /** Backward begins. */
  default @Nullable Object beforeBackward(PlainModule module, @Nullable Object gradOutput) {
    return null;
  }

  /** Backward has returned. */
  default @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    return null;
  }
}
