package io.camhook.djl.autograd;

import ai.djl.pytorch.jni.JniUtils;
import java.lang.invoke.MethodHandle;

/**
 * Calls of a TorchScript module with native handles only. A backward with hooks makes small calls
 * at each point; wrapping their arguments and results in DJL objects would cost as much as the
 * calls.
 */
final class NativeValues {
  private static final MethodHandle OF_TENSOR =
      Library.method("iValueFromTensor", long.class, long.class);
  private static final MethodHandle OF_TENSORS =
      Library.method("iValueFromTensorList", long.class, long[].class);
  private static final MethodHandle TO_LONG =
      Library.method("iValueToLong", long.class, long.class);
  private static final MethodHandle TO_LONGS =
      Library.method("iValueToLongList", long[].class, long.class);
  private static final MethodHandle TO_BOOLEAN =
      Library.method("iValueToBool", boolean.class, long.class);
  private static final MethodHandle DELETE =
      Library.method("torchDeleteIValue", void.class, long.class);

  private NativeValues() {}

  /** Calls a method of one tensor for its effect. */
  static void run(long module, String method, long tensor) {
    try {
      DELETE.invokeExact(result(module, method, (long) OF_TENSOR.invokeExact(tensor)));
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }

  /** Calls a method of one tensor that returns an {@code int}. */
  static long number(long module, String method, long tensor) {
    try {
      long result = result(module, method, (long) OF_TENSOR.invokeExact(tensor));
      try {
        return (long) TO_LONG.invokeExact(result);
      } finally {
        DELETE.invokeExact(result);
      }
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }

  /** Calls a method of one tensor that returns a {@code bool}. */
  static boolean answer(long module, String method, long tensor) {
    try {
      long result = result(module, method, (long) OF_TENSOR.invokeExact(tensor));
      try {
        return (boolean) TO_BOOLEAN.invokeExact(result);
      } finally {
        DELETE.invokeExact(result);
      }
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }

  /** Calls a method of a {@code List[Tensor]} that returns a {@code List[int]}; deletes tensors. */
  static long[] numbers(long module, String method, long[] tensors) {
    try {
      long list;
      try {
        list = (long) OF_TENSORS.invokeExact(tensors);
      } finally {
        for (long tensor : tensors) {
          JniUtils.deleteNDArray(tensor);
        }
      }
      long result = result(module, method, list);
      try {
        return (long[]) TO_LONGS.invokeExact(result);
      } finally {
        DELETE.invokeExact(result);
      }
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }

  private static long result(long module, String method, long argument) throws Throwable {
    try {
      return (long) ModuleCalls.RUN.invokeExact(module, method, new long[] {argument}, true, false);
    } finally {
      DELETE.invokeExact(argument);
    }
  }
}
