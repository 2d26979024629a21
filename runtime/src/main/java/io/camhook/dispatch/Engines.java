package io.camhook.dispatch;

import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The adapters by the class loader that holds their engine. A class of the application (a block of
 * its own) finds the adapter of the engine that its loader sees.
 */
final class Engines {
  private static final String MARKER = "ai.djl.nn.Block";

  private final Function<ClassLoader, @Nullable EngineCalls> factory;
  private final Map<ClassLoader, Optional<EngineCalls>> byLoader = new WeakHashMap<>();
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
    ClassLoader loader;
    try {
      loader = Class.forName(MARKER, false, type.getClassLoader()).getClassLoader();
    } catch (ClassNotFoundException | LinkageError e) {
      return Optional.empty();
    }
    synchronized (byLoader) {
      Optional<EngineCalls> known = byLoader.get(loader);
      if (known == null) {
        known = Optional.ofNullable(factory.apply(loader));
        byLoader.put(loader, known);
      }
      return known;
    }
  }
}
