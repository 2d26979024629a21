package io.camhook;

/**
 * Called when a backward has updated the {@code .grad} of a leaf (PyTorch's {@code
 * Tensor.register_post_accumulate_grad_hook}).
 *
 * @param <A> tensors: for DJL {@code NDArray}
 */
@FunctionalInterface
public interface PostAccumulateGradHook<A> {
  /** May read the leaf's accumulated gradient and change both. */
  void afterAccumulate(A leaf);
}
