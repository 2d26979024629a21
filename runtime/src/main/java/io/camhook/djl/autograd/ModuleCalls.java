package io.camhook.djl.autograd;

import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.util.Pair;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;

/**
 * Runs a method of a TorchScript module with autograd and returns the result unchanged. DJL's
 * public calls either switch autograd off or flatten the result, which fails if it contains a None,
 * a number or a named tuple.
 */
public final class ModuleCalls {
  private static final MethodHandle GET_INPUTS;

  /** Module, method, arguments, autograd, separate CUDA stream → result; by native handles. */
  static final MethodHandle RUN =
      Library.method(
          "moduleRunMethod",
          long.class,
          long.class,
          String.class,
          long[].class,
          boolean.class,
          boolean.class);

  private static final MethodHandle NEW_IVALUE;

  static {
    try {
      GET_INPUTS =
          MethodHandles.privateLookupIn(IValueUtils.class, MethodHandles.lookup())
              .findStatic(
                  IValueUtils.class, "getInputs", MethodType.methodType(Pair.class, NDList.class));
      NEW_IVALUE =
          MethodHandles.privateLookupIn(IValue.class, MethodHandles.lookup())
              .findConstructor(IValue.class, MethodType.methodType(void.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private ModuleCalls() {}

  /** Whether a method other than forward is to run. */
  public static boolean namesMethod(NDList inputs) {
    return inputs.stream()
        .anyMatch(array -> array.getName() != null && array.getName().startsWith("module_method:"));
  }

  /**
   * Runs {@code method}.
   *
   * @param inputs as for {@code IValueUtils.forward}: names such as {@code x[]} make lists
   * @param autograd false runs in inference mode
   * @return the result, to be closed by the caller
   */
  public static IValue run(PtSymbolBlock block, String method, NDList inputs, boolean autograd) {
    return run(block, method, List.of(), inputs, autograd);
  }

  /**
   * As {@link #run(PtSymbolBlock, String, NDList, boolean)}, for a method that takes a {@code
   * List[int]} before the inputs.
   */
  public static IValue run(
      PtSymbolBlock block, String method, long[] first, NDList inputs, boolean autograd) {
    try (IValue numbers = IValue.listFrom(first)) {
      return run(block, method, List.of(numbers), inputs, autograd);
    }
  }

  /** Like the other method, with a single input value and with autograd. */
  public static IValue run(PtSymbolBlock block, String method, long[] first, IValue input) {
    try (IValue numbers = IValue.listFrom(first)) {
      return run(block, method, new long[] {numbers.getHandle(), input.getHandle()}, true);
    }
  }

  /**
   * As {@link #run(PtSymbolBlock, String, NDList, boolean)}, for a method that takes other values
   * before the inputs; the caller still owns these values.
   */
  public static IValue run(
      PtSymbolBlock block, String method, List<IValue> first, NDList inputs, boolean autograd) {
    IValue[] values = {};
    try {
      values = (IValue[]) ((Pair<?, ?>) GET_INPUTS.invoke(inputs)).getKey();
      long[] handles = new long[first.size() + values.length];
      for (int i = 0; i < handles.length; i++) {
        IValue value = i < first.size() ? first.get(i) : values[i - first.size()];
        handles[i] = value.getHandle();
      }
      return run(block, method, handles, autograd);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    } finally {
      for (IValue value : values) {
        value.close();
      }
    }
  }

  private static IValue run(PtSymbolBlock block, String method, long[] handles, boolean autograd) {
    try {
      long module = block.getHandle();
      long result = (long) RUN.invokeExact(module, method, handles, autograd, false);
      return (IValue) NEW_IVALUE.invokeExact(result);
    } catch (Throwable e) {
      throw Library.thrown(e);
    }
  }
}
