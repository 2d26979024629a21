package io.camhook.dispatch;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The adapters by the class loader that holds their engine. A class of the application (a block of
 * its own) finds the adapter of the engine that its loader sees.
 */
final class Engines {
  /**
   * An engine, by a class that is always there where it is.
   *
   * @param classes beginning of the names of its woven classes; empty where the application's own
   *     are woven too
   */
  private record Kind(String classes, String marker) {}

  private static final List<Kind> KINDS =
      List.of(
          new Kind("ai.onnxruntime.", "ai.onnxruntime.OrtEnvironment"),
          new Kind("", "ai.djl.nn.Block"));

  /**
   * What is kept with a class. A class may keep it for ever, so that it is emptied in the end: an
   * adapter that is no longer used is collected.
   */
  private static final class Slot {
    private static final Slot NONE = new Slot(null);

    private volatile @Nullable EngineCalls engine;

    Slot(@Nullable EngineCalls engine) {
      this.engine = engine;
    }
  }

  private final Function<Class<?>, @Nullable EngineCalls> factory;
  private final List<WeakReference<Slot>> made = new CopyOnWriteArrayList<>();
  // Kept with the engine's own class: an adapter refers to its engine's loader and must go with it.
  private final ClassValue<Slot> byMarker =
      new ClassValue<>() {
        @Override
        protected Slot computeValue(Class<?> marker) {
          Slot slot = new Slot(factory.apply(marker));
          made.removeIf(known -> known.get() == null);
          made.add(new WeakReference<>(slot));
          return slot;
        }
      };
  private final ClassValue<Slot> byClass =
      new ClassValue<>() {
        @Override
        protected Slot computeValue(Class<?> type) {
          return find(type);
        }
      };

  Engines(Function<Class<?>, @Nullable EngineCalls> factory) {
    this.factory = factory;
  }

  @Nullable EngineCalls of(Class<?> type) {
    return byClass.get(type).engine;
  }

  /** Forgets all adapters. */
  void close() {
    for (WeakReference<Slot> slot : made) {
      Slot known = slot.get();
      if (known != null) {
        known.engine = null;
      }
    }
  }

  private Slot find(Class<?> type) {
    try {
      Class<?> marker = Class.forName(marker(type), false, type.getClassLoader());
      synchronized (byMarker) { // of two threads that meet here first, one makes the adapter
        return byMarker.get(marker);
      }
    } catch (ClassNotFoundException | LinkageError e) {
      return Slot.NONE;
    }
  }

  private static String marker(Class<?> type) {
    return KINDS.stream()
        .filter(kind -> type.getName().startsWith(kind.classes()))
        .findFirst()
        .orElseThrow()
        .marker();
  }
}
