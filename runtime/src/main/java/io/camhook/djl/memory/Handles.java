package io.camhook.djl.memory;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.util.NativeResource;
import java.lang.reflect.Field;
import java.util.concurrent.atomic.AtomicReference;

/** The native tensor of an array of the application. */
public final class Handles {
  private static final Field HANDLE;

  static {
    try {
      HANDLE = NativeResource.class.getDeclaredField("handle");
      HANDLE.setAccessible(true);
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this DJL keeps its native handles elsewhere", e);
    }
  }

  private Handles() {}

  /**
   * Gives {@code array} the native tensor of {@code other}, which is closed with the tensor that
   * {@code array} had. Every reference to {@code array} then uses the new one.
   */
  public static void moveInto(PtNDArray array, PtNDArray other) {
    AtomicReference<Long> here = of(array);
    AtomicReference<Long> there = of(other);
    Long old = here.get();
    here.set(there.get());
    there.set(old);
    other.close();
  }

  /**
   * {@link System#nanoTime} when the array was made: DJL's uid is the handle followed by it. The
   * current time if the array has another handle by now.
   */
  public static long made(PtNDArray array) {
    String handle = array.getHandle().toString();
    String uid = array.getUid();
    return uid.startsWith(handle)
        ? Long.parseLong(uid.substring(handle.length()))
        : System.nanoTime();
  }

  /** The array's reference to its handle. */
  @SuppressWarnings("unchecked")
  static AtomicReference<Long> of(PtNDArray array) {
    try {
      return (AtomicReference<Long>) HANDLE.get(array);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("no access to the native handle of an array", e);
    }
  }
}
