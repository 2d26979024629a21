package io.camhook;

import org.jspecify.annotations.Nullable;

/**
 * Called when the gradient of a tensor has been computed, summed over every use of the tensor
 * (PyTorch's {@code Tensor.register_hook}).
 *
 * @param <A> tensors: for DJL {@code NDArray}
 */
@FunctionalInterface
public interface TensorHook<A> {
  /**
   * Sees the gradient after earlier hooks of the tensor. It may be kept: it lives as long as
   * somebody refers to it, unless the manager of the pass is closed before.
   *
   * @return the gradient, of the same shape, that goes on upstream instead, or into {@code .grad}
   *     of a leaf; null keeps it
   */
  @Nullable A onGradient(A gradient);
}
