package io.camhook.djl.autograd;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;

/**
 * The {@code .grad} of leaves as native handles. A backward with hooks asks for them at each point
 * of a graph, and DJL's own call costs ten times as much because it wraps the gradient in an array
 * with a name and an owner.
 */
public final class NativeGrads {
  private static final MethodHandle GRAD = Library.method("torchGrad", long.class, long.class);
  private static final MethodHandle BACKWARD =
      Library.method(
          "torchBackward", void.class, long.class, long.class, boolean.class, boolean.class);

  private NativeGrads() {}

  /** Whether {@code leaf.grad} is defined. */
  public static boolean has(NDArray leaf) {
    long grad = of(leaf);
    if (grad == 0) {
      return false;
    }
    JniUtils.deleteNDArray(grad);
    return true;
  }

  /** A handle to {@code leaf.grad}, to be deleted; 0 if it is not defined. */
  static long of(NDArray leaf) {
    try {
      return (long) GRAD.invokeExact((long) ((PtNDArray) leaf).getHandle());
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }

  /**
   * A handle to {@code leaf.grad}, to be deleted; if it is not defined, a handle to arbitrary
   * values.
   */
  static long defined(NDArray leaf) {
    long grad = of(leaf);
    if (grad != 0) {
      return grad;
    }
    backward(leaf, leaf, false);
    return of(leaf);
  }

  /** The engine's own backward, without the agent. */
  public static void backward(NDArray root, NDArray gradient, boolean keepGraph) {
    long from = ((PtNDArray) root).getHandle();
    long with = ((PtNDArray) gradient).getHandle();
    try {
      BACKWARD.invokeExact(from, with, keepGraph, false);
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }
}
