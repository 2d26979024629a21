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
   * Sees the gradient after earlier hooks of the tensor. It may be kept: it stays open as long as
   * it is referenced, unless the manager of the pass is closed earlier.
   *
   * @return a gradient of the same shape that is passed upstream instead, or added to a leaf's
   *     {@code .grad}; null keeps it
   */
  @Nullable A onGradient(A gradient);
}
