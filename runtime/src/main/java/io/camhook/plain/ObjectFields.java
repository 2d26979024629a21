package io.camhook.plain;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the application's objects by reflection: fields of any visibility, and copies. */
final class ObjectFields {
  private static final ClassValue<List<Field>> FIELDS =
      new ClassValue<>() {
        @Override
        protected List<Field> computeValue(Class<?> type) {
          return readable(type);
        }
      };

  private ObjectFields() {}

  /** The instance fields that can be read, the superclass's first, each in order of declaration. */
  static List<Field> fields(Class<?> type) {
    return FIELDS.get(type);
  }

  private static List<Field> readable(Class<?> type) {
    List<Field> fields = new ArrayList<>();
    Class<?> parent = type.getSuperclass();
    if (parent != null && parent != Object.class) {
      fields.addAll(readable(parent));
    }
    for (Field field : type.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && field.trySetAccessible()) {
        fields.add(field);
      }
    }
    return fields;
  }

  static @Nullable Object get(Field field, @Nullable Object owner) {
    try {
      return field.get(owner);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field + " cannot be read", e);
    }
  }

  static void set(Field field, Object owner, @Nullable Object value) {
    try {
      field.set(owner, value);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field + " cannot be set", e);
    }
  }

  /** Whether an object is the application's own, not the JDK's. */
  static boolean isOfApplication(Object object) {
    ClassLoader loader = object.getClass().getClassLoader();
    return loader != null && loader != ClassLoader.getPlatformClassLoader();
  }

  /**
   * A copy that differs from {@code original} in one field: the one that holds {@code before} holds
   * {@code after}.
   *
   * @throws IllegalArgumentException if no field holds it, or no such object can be made
   */
  static Object copyWith(Object original, Object before, Object after) {
    Class<?> type = original.getClass();
    boolean held = false;
    try {
      if (type.isRecord()) {
        return copyRecord(original, before, after);
      }
      Object copy = allocate(type);
      for (Field field : fields(type)) {
        Object value = get(field, original);
        held |= value == before;
        set(field, copy, value == before ? after : value);
      }
      if (held) {
        return copy;
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalArgumentException("no second " + type.getTypeName() + " can be made", e);
    }
    throw new IllegalArgumentException(
        "no field of %s holds the array itself, so no second one can be made"
            .formatted(type.getTypeName()));
  }

  private static Object copyRecord(Object original, Object before, Object after)
      throws ReflectiveOperationException {
    RecordComponent[] components = original.getClass().getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      components[i].getAccessor().setAccessible(true);
      Object value = components[i].getAccessor().invoke(original);
      values[i] = value == before ? after : value;
    }
    Constructor<?> constructor = original.getClass().getDeclaredConstructor(types);
    constructor.setAccessible(true);
    return constructor.newInstance(values);
  }

  /** Makes an object without running a constructor of its class, as deserialization does. */
  private static Object allocate(Class<?> type) throws ReflectiveOperationException {
    Class<?> factory = Class.forName("sun.reflect.ReflectionFactory");
    Object instance = factory.getMethod("getReflectionFactory").invoke(null);
    Constructor<?> constructor =
        (Constructor<?>)
            factory
                .getMethod("newConstructorForSerialization", Class.class, Constructor.class)
                .invoke(instance, type, Object.class.getDeclaredConstructor());
    return constructor.newInstance();
  }
}
