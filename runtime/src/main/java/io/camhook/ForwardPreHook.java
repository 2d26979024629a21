package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * Called before a module's forward (PyTorch's {@code register_forward_pre_hook}).
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 */
@FunctionalInterface
public interface ForwardPreHook<M, T> {
  /**
   * Sees the inputs after earlier pre hooks.
   *
   * @param path path of the module in the running model; {@code .} for the model itself
   * @return the inputs that the module gets instead; null keeps them
   */
  @Nullable T beforeForward(M module, String path, T inputs);
}
