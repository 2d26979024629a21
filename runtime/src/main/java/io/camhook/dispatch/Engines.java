package io.camhook.dispatch;

import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The adapters by the class loader that holds their engine. A class of the application (a block of
 * its own) finds the adapter of the engine that its loader sees.
 */
final class Engines {
  private static final String MARKER = "ai.djl.nn.Block";

  private final Function<ClassLoader, @Nullable EngineCalls> factory;
  // Kept with the engine's own class: an adapter refers to its engine's loader and must go with it.
  private final ClassValue<Optional<EngineCalls>> byMarker =
      new ClassValue<>() {
        @Override
        protected Optional<EngineCalls> computeValue(Class<?> marker) {
          return Optional.ofNullable(factory.apply(marker.getClassLoader()));
        }
      };
  private final ClassValue<Optional<EngineCalls>> byClass =
      new ClassValue<>() {
        @Override
        protected Optional<EngineCalls> computeValue(Class<?> type) {
          return find(type);
        }
      };

  Engines(Function<ClassLoader, @Nullable EngineCalls> factory) {
    this.factory = factory;
  }

  @Nullable EngineCalls of(Class<?> type) {
    return byClass.get(type).orElse(null);
  }

  private Optional<EngineCalls> find(Class<?> type) {
    try {
      Class<?> marker = Class.forName(MARKER, false, type.getClassLoader());
      synchronized (byMarker) { // of two threads that meet here first, one makes the adapter
        return byMarker.get(marker);
      }
    } catch (ClassNotFoundException | LinkageError e) {
      return Optional.empty();
    }
  }
}
