package io.camhook.samples.plainjava;

import java.util.List;

/**
 * One step of a network, for one picture at a time. Tensors are {@code float[]}, row-major.
 *
 * <p>A layer remembers its last input, so {@link #backward} belongs to the latest {@link #forward};
 * a network serves one thread.
 */
interface Layer {
  /** Computes the output. The array belongs to the caller; it is new in every call. */
  float[] forward(float[] input);

  /**
   * Adds the gradients of the parameters to {@link Parameter#gradient} and passes the gradient on.
   *
   * @param outputGradient derivative of the loss by every element of the output
   * @return derivative of the loss by every element of the input
   */
  float[] backward(float[] outputGradient);

  /** Shape of the output: {@code [channels, height, width]} or {@code [features]}. */
  int[] outputShape();

  /** The learnt parameters; empty by default. */
  default List<Parameter> parameters() {
    return List.of();
  }
}
