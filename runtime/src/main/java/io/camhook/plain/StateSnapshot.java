package io.camhook.plain;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
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
 * A backward that the application did not ask for writes to gradient accumulators, caches and counters. Before
 * it, camhook notes what such a backward may write to; after it, camhook restores whatever differs:
 *
 *   of the root: its fields, and the arrays and collections that they hold;
 *   of the layers: their fields, and all that they lead to in the application's own objects (parameters with
 *   their gradients, caches), with the collections that the layers themselves hold.
 *
 * Other objects that the root refers to are only searched for layers. Collections of others, such as a cache
 * or a queue that a layer only refers to, are not touched, nor are concurrent collections: what another thread
 * puts there meanwhile stays. Static fields, other objects of the JDK and what can be closed (files, pools,
 * native memory), whose content is not in its fields, are left alone too.
 *
 * The bytes to copy are counted first, so that room for them can be reserved.
 */
/** A copy of a network's state, restored after camhook's own backward pass. */
final class StateSnapshot {
  private final List<Runnable> restore = new ArrayList<>();
  private final Map<Object, Boolean> found = new IdentityHashMap<>();
  private final Set<Object> ofModules = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Deque<Object> open = new ArrayDeque<>();
  private final Set<Object> roots = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Predicate<Object> own;
  private long bytes;

  private StateSnapshot(Predicate<Object> own) {
    this.own = own;
  }

  /**
   * Finds the state to note; {@link #take} notes it.
   *
   * @param roots where the search begins: objects and arrays that are noted in any case
   * @param own whether an object is a layer or tensor of the network
   */
  static StateSnapshot of(Collection<?> roots, Predicate<Object> own) {
    StateSnapshot snapshot = new StateSnapshot(own);
    for (Object root : roots) {
      snapshot.roots.add(root);
      snapshot.found.put(root, true);
      snapshot.open.add(root);
    }
    while (!snapshot.open.isEmpty()) {
      snapshot.search(snapshot.open.pop());
    }
    snapshot.found.forEach((object, noted) -> snapshot.bytes += noted ? bytes(object) : 0);
    return snapshot;
  }

  private static long bytes(Object object) {
    if (object instanceof FloatBuffer floats) {
      return 4L * floats.capacity();
    }
    if (object instanceof DoubleBuffer doubles) {
      return 8L * doubles.capacity();
    }
    if (!object.getClass().isArray()) {
      return 0;
    }
    Class<?> element = object.getClass().getComponentType();
    long size = element == double.class || element == long.class ? 8 : 4;
    return size * Array.getLength(object);
  }

  /** About how many bytes {@link #take} copies. */
  long bytes() {
    return bytes;
  }

  /** Notes everything. */
  void take() {
    found.forEach(
        (object, noted) -> {
          if (noted) {
            note(object);
          }
        });
  }

  /**
   * @param noted whether the object that refers to it is noted with everything reachable from it
   */
  private void visit(@Nullable Object object, boolean noted) {
    if (object == null || !isState(object)) {
      return;
    }
    boolean wanted = noted || own.test(object);
    Boolean before = found.get(object);
    if (before == null || (wanted && !before)) {
      found.put(object, wanted);
      open.push(object);
    }
  }

  private boolean isState(Object object) {
    if (object.getClass().getName().startsWith("java.util.concurrent.")
        || object.getClass().getName().startsWith("java.util.Collections$Synchronized")
        || object instanceof Vector
        || object instanceof Hashtable) {
      return false; // others may write to it
    }
    return isHolder(object)
        || (ObjectFields.isOfApplication(object)
            && !(object instanceof Enum)
            && !(object instanceof Thread)
            && !(object instanceof ClassLoader)
            && !(object instanceof AutoCloseable && !own.test(object))
            && !object.getClass().isHidden());
  }

  /** Arrays, buffers, collections, maps: what a field may hold as its own. */
  private static boolean isHolder(Object object) {
    return object.getClass().isArray()
        || object instanceof Collection
        || object instanceof Map
        || object instanceof FloatBuffer
        || object instanceof DoubleBuffer;
  }

  private void search(Object object) {
    boolean noted = Boolean.TRUE.equals(found.get(object));
    if (object instanceof Object[] elements) {
      for (Object element : elements) {
        child(element, noted, object);
      }
    } else if (object instanceof Collection<?> collection) {
      for (Object element : new ArrayList<>(collection)) {
        child(element, noted, object);
      }
    } else if (object instanceof Map<?, ?> map) {
      for (Object value : new ArrayList<>(map.values())) {
        child(value, noted, object);
      }
    } else if (!object.getClass().isArray() && !(object instanceof Buffer)) {
      for (Field field : ObjectFields.fields(object.getClass())) {
        if (!field.getType().isPrimitive()) {
          Object value = ObjectFields.get(field, object);
          if ((value instanceof Collection || value instanceof Map)
              && (own.test(object) || roots.contains(object))) {
            ofModules.add(value);
          }
          child(value, noted, object);
        }
      }
    }
  }

  /** Saves what a root holds; of the other objects that it refers to, only layers. */
  private void child(@Nullable Object child, boolean noted, Object parent) {
    if (child == null) {
      return;
    }
    boolean ofRoot = roots.contains(parent) && !own.test(parent);
    if (ofRoot && noted && isHolder(child)) {
      roots.add(child);
    }
    visit(child, noted && (!ofRoot || isHolder(child)));
  }

  private void note(Object object) {
    if (object.getClass().isArray()) {
      noteArray(object);
    } else if (object instanceof Buffer buffer) {
      noteBuffer(buffer);
    } else if (object instanceof Collection<?> collection) {
      noteCollection(collection);
    } else if (object instanceof Map<?, ?> map) {
      noteMap(map);
    } else {
      for (Field field : ObjectFields.fields(object.getClass())) {
        noteField(object, field);
      }
    }
  }

  private void noteArray(Object array) {
    int length = Array.getLength(array);
    Object copy = Array.newInstance(array.getClass().getComponentType(), length);
    System.arraycopy(array, 0, copy, 0, length);
    restore.add(
        () -> {
          if (!sameElements(copy, array)) {
            System.arraycopy(copy, 0, array, 0, length);
          }
        });
  }

  private static boolean sameElements(Object before, Object now) {
    if (!(before instanceof Object[] elements)) {
      return Arrays.deepEquals(new Object[] {before}, new Object[] {now});
    }
    Object[] others = (Object[]) now;
    for (int i = 0; i < elements.length; i++) {
      if (elements[i] != others[i]) {
        return false;
      }
    }
    return true;
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

  private void noteCollection(Collection<?> collection) {
    if (!ofModules.contains(collection)) {
      return;
    }
    List<Object> copy = new ArrayList<>(collection);
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

  private void noteMap(Map<?, ?> map) {
    if (!ofModules.contains(map)) {
      return;
    }
    Map<Object, Object> copy = new LinkedHashMap<>(map);
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

  private void noteField(Object owner, Field field) {
    Object value = ObjectFields.get(field, owner);
    restore.add(
        () -> {
          Object now = ObjectFields.get(field, owner);
          boolean same = field.getType().isPrimitive() ? same(value, now) : now == value;
          if (!same) {
            ObjectFields.set(field, owner, value);
          }
        });
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
