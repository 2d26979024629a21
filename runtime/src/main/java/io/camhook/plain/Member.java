package io.camhook.plain;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A field, or a method without arguments, of any visibility, read by name. */
final class Member {
  private final @Nullable Field field;
  private final @Nullable Method method;

  private Member(@Nullable Field field, @Nullable Method method) {
    this.field = field;
    this.method = method;
  }

  /**
   * The member of {@code type} or the nearest of its superclasses and interfaces; if there is none
   * with that name, the getter: {@code getSecond} for {@code second}.
   */
  static Optional<Member> find(Class<?> type, String name) {
    return named(type, name)
        .or(() -> named(type, "get" + Character.toUpperCase(name.charAt(0)) + name.substring(1)));
  }

  private static Optional<Member> named(Class<?> type, String name) {
    for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        if (field.getName().equals(name) && !Modifier.isStatic(field.getModifiers())) {
          return accessible(field, new Member(field, null));
        }
      }
      Optional<Member> method = method(c, name);
      if (method.isPresent()) {
        return method;
      }
    }
    for (Method method : type.getMethods()) {
      if (method.getName().equals(name) && isGetter(method)) {
        return accessible(method, new Member(null, method));
      }
    }
    return Optional.empty();
  }

  private static Optional<Member> method(Class<?> type, String name) {
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals(name) && isGetter(method)) {
        return accessible(method, new Member(null, method));
      }
    }
    return Optional.empty();
  }

  private static boolean isGetter(Method method) {
    return method.getParameterCount() == 0
        && !Modifier.isStatic(method.getModifiers())
        && method.getReturnType() != void.class;
  }

  private static Optional<Member> accessible(AccessibleObject object, Member member) {
    return object.trySetAccessible() ? Optional.of(member) : Optional.empty();
  }

  /**
   * The member's value in {@code owner}.
   *
   * @throws IllegalStateException if the application's method threw
   */
  @Nullable Object get(Object owner) {
    try {
      if (field != null) {
        return field.get(owner);
      }
      return method == null ? null : method.invoke(owner);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(this + " cannot be read", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(this + " threw " + e.getCause(), e.getCause());
    }
  }

  /**
   * Sets the member of {@code owner}.
   *
   * @throws IllegalArgumentException if it is not a field that accepts the value
   */
  void set(Object owner, @Nullable Object value) {
    try {
      if (field == null) {
        throw new IllegalArgumentException("expected a field, found the method " + method);
      }
      field.set(owner, value);
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(field + " cannot be set", e);
    }
  }

  @Override
  public String toString() {
    return String.valueOf(field != null ? field : method);
  }
}
