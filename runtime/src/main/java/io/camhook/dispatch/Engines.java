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
   * The value stored with a class. A class may keep it for ever, so it is cleared at the end, and
   * an unused adapter can be collected.
   */
  private static final class Slot {
    private static final Slot NONE = new Slot(null);

    private volatile @Nullable EngineCalls engine;

    Slot(@Nullable EngineCalls engine) {
      this.engine = engine;
    }
  }

  private final Function<String, List<String>> markers;
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

  /** As {@link Dispatch#install} says. */
  Engines(
      Function<String, List<String>> markers, Function<Class<?>, @Nullable EngineCalls> factory) {
    this.markers = markers;
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
    for (String name : markers.apply(type.getName())) {
      try {
        Class<?> marker = Class.forName(name, false, type.getClassLoader());
        synchronized (byMarker) { // if two threads meet here first, one of them makes the adapter
          return byMarker.get(marker);
        }
      } catch (ClassNotFoundException | LinkageError e) {
        // not this engine
      }
    }
    return Slot.NONE;
  }
}
