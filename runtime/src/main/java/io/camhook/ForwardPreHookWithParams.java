package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * A {@link ForwardPreHook} that also sees and replaces what Python calls keyword arguments: DJL's
 * {@code params}.
 *
 * @param <M> the module: for DJL {@code Block}
 * @param <T> lists of tensors: for DJL {@code NDList}
 * @param <P> parameters of the call: for DJL {@code PairList<String, Object>}
 */
@FunctionalInterface
public interface ForwardPreHookWithParams<M, T, P> {
  /**
   * Sees inputs and parameters after earlier pre hooks.
   *
   * @param params null if the caller passed none
   * @return the inputs and parameters that the module gets instead; null keeps both
   */
  @Nullable Call<T, P> beforeForward(M module, String path, T inputs, @Nullable P params);

  /**
   * Inputs and parameters of a call.
   *
   * @param inputs positional arguments
   * @param params keyword arguments; null for none
   */
  record Call<T, P>(T inputs, @Nullable P params) {}
}
