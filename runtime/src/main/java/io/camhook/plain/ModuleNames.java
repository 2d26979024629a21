package io.camhook.plain;

import io.camhook.dispatch.WeakIdentityMap;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Paths of the modules of a plain network. The root is {@code .}; an object reachable from the root
 * is named by the fields on the path to it, joined by dots, with array or collection indices and
 * map keys as separate segments: {@code features.3}, {@code head.fc}. The shortest path is used,
 * and among equally short ones the first in declaration order. A module that no field leads to is
 * named by its class and a counter in order of appearance, {@code Conv#0}. Keeps no module alive.
 * Thread-safe.
 */
final class ModuleNames {
  private static final int MOST_OBJECTS = 100_000;

  private final WeakIdentityMap<Object, String> paths = new WeakIdentityMap<>();
  private final Map<String, AtomicInteger> counters = new ConcurrentHashMap<>();

  /**
   * The module's path.
   *
   * @param root the network that is running, null if none is known
   */
  String pathOf(Object module, @Nullable Object root) {
    if (module == root) {
      return ".";
    }
    String known = paths.get(module);
    if (known == null && root != null) {
      explore(root);
      known = paths.get(module);
    }
    return known == null ? paths.computeIfAbsent(module, () -> numbered(module)) : known;
  }

  private String numbered(Object module) {
    String name = module.getClass().getSimpleName();
    return name + "#" + counters.computeIfAbsent(name, n -> new AtomicInteger()).getAndIncrement();
  }

  private void explore(Object root) {
    below(root).forEach((path, object) -> paths.computeIfAbsent(object, () -> path));
  }

  /**
   * The application's objects below {@code root} by their paths, breadth first, so that the
   * shortest path is found first.
   */
  Map<String, Object> below(Object root) {
    Map<String, Object> below = new LinkedHashMap<>();
    Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Found> open = new ArrayDeque<>();
    seen.add(root);
    open.add(new Found(root, ""));
    while (!open.isEmpty() && seen.size() < MOST_OBJECTS) {
      Found found = open.remove();
      for (Found child : found.children()) {
        if (child.isWorthALook() && seen.add(child.object)) {
          open.add(child);
          if (ObjectFields.isOfApplication(child.object)) {
            below.put(child.path, child.object);
          }
        }
      }
    }
    return below;
  }

  private record Found(Object object, String path) {
    boolean isWorthALook() {
      return object instanceof Collection
          || object instanceof Map
          || object instanceof Object[]
          || (ObjectFields.isOfApplication(object)
              && !object.getClass().isArray()
              && !(object instanceof Enum)
              && !(object instanceof Thread));
    }

    Collection<Found> children() {
      Deque<Found> children = new ArrayDeque<>();
      if (object instanceof Object[]) {
        for (int i = 0; i < Array.getLength(object); i++) {
          add(children, Integer.toString(i), Array.get(object, i));
        }
      } else if (object instanceof Collection<?> collection) {
        int i = 0;
        for (Object element : collection) {
          add(children, Integer.toString(i++), element);
        }
      } else if (object instanceof Map<?, ?> map) {
        map.forEach((key, value) -> add(children, String.valueOf(key), value));
      } else {
        for (Field field : ObjectFields.fields(object.getClass())) {
          if (!field.getType().isPrimitive()) {
            add(children, field.getName(), ObjectFields.get(field, object));
          }
        }
      }
      return children;
    }

    private void add(Deque<Found> children, String name, @Nullable Object child) {
      if (child != null) {
        children.add(new Found(child, path.isEmpty() ? name : path + "." + name));
      }
    }
  }
}
