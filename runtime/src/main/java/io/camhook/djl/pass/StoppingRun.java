package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.twin.HookPlan;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/*
 * libtorch has no callbacks while it interprets a method. So the method stops by itself: it writes the number
 * of the stop into eight bytes that Java sees too (the door), and reads them until they change. The method
 * runs on one of camhook's threads, and the hooks run on the caller's, where they belong. While the hooks of a
 * stop run, the other thread reads; there are no timers.
 *
 * The engine would specialise the method after its first run, and fails to do so with that of a vision
 * transformer ("INTERNAL ASSERT FAILED"). So it interprets the method as it is.
 */
/** One run of a method that stops for hooks ({@link HookPlan#stoppingMethod}). */
public final class StoppingRun {
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final int SPINS = 1_000;
  private static final long PAUSE = TimeUnit.MICROSECONDS.toNanos(20);
  private static final ExecutorService CARRIERS =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          task -> {
            Thread thread = new Thread(task, "camhook model with hooks");
            thread.setDaemon(true);
            return thread;
          });

  /** What happens at a stop. */
  public interface Stops {
    /**
     * Runs on the thread that runs the model.
     *
     * @param stop number of the stop, see {@link HookPlan}
     * @param values the arguments or results of the call
     * @param keys for each value its position among the arguments, and {@code .key} for each level
     *     inside
     * @return the same number of values to continue with; null to keep the current ones
     */
    @Nullable List<? extends NDArray> stop(long stop, PtNDArray[] values, List<String> keys);
  }

  private final ByteBuffer door =
      ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
  private final PtNDManager owner;
  private final BiConsumer<IValue, NDArray> append;

  /**
   * @param owner manager of what the stops see
   * @param append appends a tensor to a {@code List[Tensor]}
   */
  public StoppingRun(PtNDManager owner, BiConsumer<IValue, NDArray> append) {
    this.owner = owner;
    this.append = append;
  }

  /**
   * Runs the method.
   *
   * @param graph whether autograd is on
   * @return the result, to be closed by the caller
   * @throws RuntimeException what a stop throws, which ends the method there, or what the engine
   *     throws
   */
  public IValue run(
      PtSymbolBlock block,
      HookPlan plan,
      long[] wanted,
      NDList inputs,
      boolean graph,
      Stops stops) {
    try (NDManager lists = owner.newSubManager()) {
      NDArray flag = lists.create(door, new Shape(), DataType.INT64);
      NDScope.unregister(flag);
      try (IValue taps = IValue.listFrom(new PtNDArray[0]);
          IValue answers = IValue.listFrom(new PtNDArray[0]);
          IValue label = IValue.from("");
          IValue labels = IValue.listFrom(label);
          IValue knock = IValue.from((PtNDArray) flag);
          IValue asked = IValue.listFrom(wanted)) {
        List<IValue> first = List.of(taps, labels, answers, knock, asked);
        FutureTask<IValue> task =
            new FutureTask<>(
                () -> {
                  JniUtils.setGraphExecutorOptimize(false); // of this thread
                  JniUtils.setGradMode(graph);
                  return ModuleCalls.run(
                      block, Objects.requireNonNull(plan.stoppingMethod()), first, inputs, true);
                });
        CARRIERS.execute(task);
        answer(task, taps, labels, answers, stops);
        return result(task);
      }
    }
  }

  private void answer(
      FutureTask<IValue> task, IValue taps, IValue labels, IValue answers, Stops stops) {
    for (long stop = next(task); stop > 0; stop = next(task)) {
      try {
        List<? extends NDArray> replaced = stops.stop(stop, values(taps), keys(labels));
        if (replaced == null) {
          goOn(HookPlan.KEEP);
        } else {
          replaced.forEach(array -> append.accept(answers, array));
          goOn(HookPlan.TAKE);
        }
      } catch (Throwable e) {
        goOn(HookPlan.FAIL);
        awaitEnd(task);
        throw e;
      }
    }
  }

  private PtNDArray[] values(IValue taps) {
    PtNDArray[] values = taps.toTensorArray(owner);
    for (PtNDArray value : values) {
      NDScope.unregister(value);
    }
    return values;
  }

  private static List<String> keys(IValue labels) {
    List<String> keys = new ArrayList<>();
    for (IValue label : labels.toIValueArray()) {
      keys.add(label.toStringValue());
      label.close();
    }
    return keys;
  }

  private void goOn(long answer) {
    LONG.setRelease(door, 0, answer);
  }

  /** The stop at which the method waits; 0 if it has ended. */
  private long next(FutureTask<IValue> task) {
    boolean interrupted = false;
    try {
      for (int n = 0; ; n++) {
        boolean ended = task.isDone();
        long stop = (long) LONG.getAcquire(door, 0);
        if (stop > 0) {
          return stop;
        }
        if (ended) {
          return 0;
        }
        if (n < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.parkNanos(PAUSE);
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void awaitEnd(FutureTask<IValue> task) {
    try {
      result(task).close();
    } catch (RuntimeException e) {
      // the failure was requested
    }
  }

  private static IValue result(FutureTask<IValue> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof RuntimeException failure) {
            throw failure;
          }
          throw new IllegalStateException(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
