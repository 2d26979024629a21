package io.camhook.telemetry;

import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks up classes of libraries that an application may have. Found classes are not cached, so that
 * no class loader is kept alive; missing ones are remembered. Thread-safe.
 */
final class ApplicationClasses {
  private final Map<ClassLoader, Set<String>> absent =
      Collections.synchronizedMap(new WeakHashMap<>());

  /** The loader of the application that runs on this thread. */
  static ClassLoader ofThread() {
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    return context == null ? ClassLoader.getSystemClassLoader() : context;
  }

  /** The class as {@code loader} sees it; null if it does not. */
  @Nullable Class<?> find(String name, ClassLoader loader) {
    Set<String> known = absent.get(loader);
    if (known != null && known.contains(name)) {
      return null;
    }
    try {
      return Class.forName(name, true, loader);
    } catch (ClassNotFoundException | LinkageError e) {
      absent
          .computeIfAbsent(loader, ignored -> Collections.synchronizedSet(new HashSet<>()))
          .add(name);
      return null;
    }
  }
}
