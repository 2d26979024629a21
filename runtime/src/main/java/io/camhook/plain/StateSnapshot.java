package io.camhook.plain;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.Hashtable;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.Vector;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/*
 * A backward that the application did not ask for writes to gradient accumulators, caches and counters.
 * Before it, what such a backward may write to is noted: the fields of every object of the application that
 * can be reached from the network's root, the contents of every array, and the elements of the collections
 * that the modules themselves hold (a layer's stack of inputs). After it, whatever differs is put back.
 *
 * Collections of others, such as a cache or a queue that the network only refers to, are not touched, and
 * no collection made for several threads is: what another thread puts there meanwhile stays. Other objects
 * of the JDK are left alone, as are static fields.
 */
/** The state of a network, to be put back after a backward of camhook's own. */
final class StateSnapshot {
  private final List<Runnable> restore = new ArrayList<>();
  private final Set<Object> ofModules = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Predicate<Object> modules;

  private StateSnapshot(Predicate<Object> modules) {
    this.modules = modules;
  }

  /**
   * Notes the state below {@code root}.
   *
   * @param modules whether an object is a module of the network
   */
  static StateSnapshot of(Object root, Predicate<Object> modules) {
    StateSnapshot snapshot = new StateSnapshot(modules);
    Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Object> open = new ArrayDeque<>();
    visit(root, seen, open);
    while (!open.isEmpty()) {
      snapshot.note(open.pop(), seen, open);
    }
    return snapshot;
  }

  private static void visit(@Nullable Object object, Set<Object> seen, Deque<Object> open) {
    if (object != null && isState(object) && seen.add(object)) {
      open.push(object);
    }
  }

  private static boolean isState(Object object) {
    if (object.getClass().getName().startsWith("java.util.concurrent.")
        || object.getClass().getName().startsWith("java.util.Collections$Synchronized")
        || object instanceof Vector
        || object instanceof Hashtable) {
      return false; // others may write to it
    }
    return object.getClass().isArray()
        || object instanceof Collection
        || object instanceof Map
        || object instanceof FloatBuffer
        || object instanceof DoubleBuffer
        || (ObjectFields.isOfApplication(object)
            && !(object instanceof Enum)
            && !(object instanceof Thread)
            && !object.getClass().isHidden());
  }

  private void note(Object object, Set<Object> seen, Deque<Object> open) {
    if (object.getClass().isArray()) {
      noteArray(object, seen, open);
    } else if (object instanceof Buffer buffer) {
      noteBuffer(buffer);
    } else if (object instanceof Collection<?> collection) {
      noteCollection(collection, seen, open);
    } else if (object instanceof Map<?, ?> map) {
      noteMap(map, seen, open);
    } else {
      for (Field field : ObjectFields.fields(object.getClass())) {
        noteField(object, field, seen, open);
      }
    }
  }

  private void noteArray(Object array, Set<Object> seen, Deque<Object> open) {
    int length = Array.getLength(array);
    Object copy = Array.newInstance(array.getClass().getComponentType(), length);
    System.arraycopy(array, 0, copy, 0, length);
    restore.add(() -> System.arraycopy(copy, 0, array, 0, length));
    if (array instanceof Object[] elements) {
      for (Object element : elements) {
        visit(element, seen, open);
      }
    }
  }

  private void noteBuffer(Buffer buffer) {
    int position = buffer.position();
    int limit = buffer.limit();
    if (buffer instanceof FloatBuffer floats) {
      FloatBuffer all = floats.duplicate().clear();
      float[] copy = new float[all.remaining()];
      all.duplicate().get(copy);
      restore.add(() -> write(floats.isReadOnly(), () -> all.duplicate().put(copy)));
    } else if (buffer instanceof DoubleBuffer doubles) {
      DoubleBuffer all = doubles.duplicate().clear();
      double[] copy = new double[all.remaining()];
      all.duplicate().get(copy);
      restore.add(() -> write(doubles.isReadOnly(), () -> all.duplicate().put(copy)));
    }
    restore.add(() -> buffer.limit(limit).position(position));
  }

  private static void write(boolean readOnly, Runnable write) {
    if (!readOnly) {
      write.run();
    }
  }

  private void noteCollection(Collection<?> collection, Set<Object> seen, Deque<Object> open) {
    List<Object> copy = new ArrayList<>(collection);
    copy.forEach(element -> visit(element, seen, open));
    if (!ofModules.contains(collection)) {
      return;
    }
    restore.add(
        () -> {
          if (!same(copy, collection)) {
            refill(collection, copy);
          }
        });
  }

  private static boolean same(List<Object> before, Collection<?> now) {
    if (before.size() != now.size()) {
      return false;
    }
    int i = 0;
    for (Object element : now) {
      if (element != before.get(i++)) {
        return false;
      }
    }
    return true;
  }

  @SuppressWarnings("unchecked")
  private static void refill(Collection<?> collection, List<Object> elements) {
    collection.clear();
    ((Collection<Object>) collection).addAll(elements);
  }

  private void noteMap(Map<?, ?> map, Set<Object> seen, Deque<Object> open) {
    Map<Object, Object> copy = new LinkedHashMap<>(map);
    copy.values().forEach(value -> visit(value, seen, open));
    if (!ofModules.contains(map)) {
      return;
    }
    restore.add(
        () -> {
          if (!same(new ArrayList<>(copy.keySet()), map.keySet())
              || !same(new ArrayList<>(copy.values()), map.values())) {
            refill(map, copy);
          }
        });
  }

  @SuppressWarnings("unchecked")
  private static void refill(Map<?, ?> map, Map<Object, Object> entries) {
    map.clear();
    ((Map<Object, Object>) map).putAll(entries);
  }

  private void noteField(Object owner, Field field, Set<Object> seen, Deque<Object> open) {
    Object value = ObjectFields.get(field, owner);
    restore.add(
        () -> {
          Object now = ObjectFields.get(field, owner);
          boolean same = field.getType().isPrimitive() ? same(value, now) : now == value;
          if (!same) {
            ObjectFields.set(field, owner, value);
          }
        });
    if (!field.getType().isPrimitive()) {
      if ((value instanceof Collection || value instanceof Map) && modules.test(owner)) {
        ofModules.add(value);
      }
      visit(value, seen, open);
    }
  }

  /** Boxed primitives; equality of their bits, so that NaN is itself. */
  private static boolean same(@Nullable Object before, @Nullable Object now) {
    return before != null && before.equals(now);
  }

  /** Puts everything back. */
  void restore() {
    restore.forEach(Runnable::run);
  }
}
