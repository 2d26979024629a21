package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * A {@link ForwardHook} that also sees what Python calls keyword arguments: DJL's {@code params}.
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 * @param <P> parameters of the call: for DJL {@code PairList<String, Object>}
 */
@FunctionalInterface
public interface ForwardHookWithParams<M, T, P> {
  /**
   * Sees inputs and parameters after the pre hooks and the outputs after earlier forward hooks.
   *
   * @return the outputs that the caller gets instead; null keeps them
   */
  @Nullable T afterForward(
      M module, String path, T inputs, @Nullable P params, @Nullable T outputs);
}
