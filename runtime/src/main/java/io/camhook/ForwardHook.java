package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * Called when a module's forward has returned (PyTorch's {@code register_forward_hook}).
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 */
@FunctionalInterface
public interface ForwardHook<M, T> {
  /**
   * Sees the inputs after the pre hooks and the outputs after earlier forward hooks.
   *
   * @param path path of the module in the running model; {@code .} for the model itself
   * @param outputs null only for a hook registered with {@link HookOptions#alwaysCall} when forward
   *     failed
   * @return the outputs that the caller gets instead; null keeps them
   */
  @Nullable T afterForward(M module, String path, T inputs, @Nullable T outputs);
}
