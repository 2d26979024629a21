package io.camhook.djl.autograd;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;

/**
 * Asks whether tensors have a {@code .grad}. A backward with hooks does this at each point of a
 * graph, and DJL's own call costs ten times as much because it wraps the gradient in an array with
 * a name and an owner.
 */
public final class NativeGrads {
  private static final MethodHandle GRAD;
  private static final MethodHandle LIST;
  private static final MethodHandle NEW_IVALUE;

  static {
    try {
      Class<?> library =
          Class.forName("ai.djl.pytorch.jni.PyTorchLibrary", true, JniUtils.class.getClassLoader());
      MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(library, MethodHandles.lookup());
      Object lib = lookup.findStaticVarHandle(library, "LIB", library).get();
      GRAD =
          lookup
              .findVirtual(library, "torchGrad", MethodType.methodType(long.class, long.class))
              .bindTo(lib);
      LIST =
          lookup
              .findVirtual(
                  library, "iValueFromTensorList", MethodType.methodType(long.class, long[].class))
              .bindTo(lib);
      NEW_IVALUE =
          MethodHandles.privateLookupIn(IValue.class, MethodHandles.lookup())
              .findConstructor(IValue.class, MethodType.methodType(void.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private NativeGrads() {}

  /** Whether {@code leaf.grad} is defined. */
  public static boolean has(NDArray leaf) {
    long grad = handle(leaf);
    if (grad == 0) {
      return false;
    }
    JniUtils.deleteNDArray(grad);
    return true;
  }

  /** The gradients that there are as a {@code List[Tensor]}, to be closed. */
  static IValue of(List<NDArray> leaves) {
    long[] handles =
        leaves.stream().mapToLong(NativeGrads::handle).filter(grad -> grad != 0).toArray();
    try {
      return (IValue) NEW_IVALUE.invokeExact((long) LIST.invokeExact(handles));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    } finally {
      for (long grad : handles) {
        JniUtils.deleteNDArray(grad);
      }
    }
  }

  private static long handle(NDArray leaf) {
    try {
      return (long) GRAD.invokeExact((long) ((PtNDArray) leaf).getHandle());
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
