package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * Called when the gradients with respect to a module's outputs have been computed, before the
 * module's own backward (PyTorch's {@code register_full_backward_pre_hook}).
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 */
@FunctionalInterface
public interface FullBackwardPreHook<M, T> {
  /**
   * Sees the gradients after earlier pre hooks.
   *
   * @param gradOutputs one entry per output; null for an output that the loss does not use
   * @return the same number of gradients, with the same shapes, that replace {@code gradOutputs},
   *     also for the module's parameters; null keeps them
   */
  @Nullable T beforeBackward(M module, String path, T gradOutputs);
}
