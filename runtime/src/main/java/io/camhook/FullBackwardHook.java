package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * Called when the gradients with respect to a module's inputs have been computed (PyTorch's {@code
 * register_full_backward_hook}).
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 */
@FunctionalInterface
public interface FullBackwardHook<M, T> {
  /**
   * Sees the gradients after earlier hooks. They may be kept: an array stays open as long as it is
   * referenced, unless the manager of the pass is closed earlier.
   *
   * @param gradInputs one entry per input: zeros for an input without gradient if another input has
   *     one; all null if no input requires gradient, and then the hook must return null
   * @param gradOutputs one entry per output; null for an output that the loss does not use
   * @return the same number of gradients, with the same shapes, that replace {@code gradInputs}
   *     upstream; null keeps them
   */
  @Nullable T afterBackward(M module, String path, T gradInputs, T gradOutputs);
}
