package io.camhook;

/**
 * Removes a registered hook. The handle keeps neither the module nor the hook alive. A hook that
 * itself refers to the model keeps the model alive until the handle is closed.
 */
@FunctionalInterface
public interface HookHandle extends AutoCloseable {
  /**
   * Removes the hook for calls that begin from now on; hooks that are already running are not
   * affected. Closing twice has no further effect.
   */
  void remove();

  /** The same as {@link #remove}, for try-with-resources. */
  @Override
  default void close() {
    remove();
  }
}
