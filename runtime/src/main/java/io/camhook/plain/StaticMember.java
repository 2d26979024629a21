package io.camhook.plain;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A static field or method of the application, by its full name; looked up in the class loader of
 * one of the application's objects.
 */
final class StaticMember {
  private final String text;
  private final String owner;
  private final Signature signature;

  /**
   * @param text such as {@code com.acme.Tensor.EMPTY} or {@code com.acme.Tensor.of(float[],int[])}
   */
  StaticMember(String text) {
    this.text = text.replace("()", "");
    int open = this.text.indexOf('(');
    int dot = this.text.lastIndexOf('.', open < 0 ? this.text.length() : open);
    if (dot <= 0) {
      throw new IllegalArgumentException(
          "expected a static field or method with its class, such as com.acme.Tensor.EMPTY, found "
              + text);
    }
    owner = this.text.substring(0, dot);
    signature = Signature.parse(this.text.substring(dot + 1));
  }

  /**
   * The field's value, or what the method without arguments returns.
   *
   * @param sibling an object of the application
   * @throws IllegalArgumentException if there is no such member
   * @throws IllegalStateException if the method threw
   */
  @Nullable Object value(Object sibling) {
    Class<?> type = type(sibling);
    for (Field field : type.getDeclaredFields()) {
      if (field.getName().equals(signature.name())
          && Modifier.isStatic(field.getModifiers())
          && field.trySetAccessible()) {
        return ObjectFields.get(field, null);
      }
    }
    return call(method(type, method -> method.getParameterCount() == 0));
  }

  /**
   * A tensor of these numbers.
   *
   * @param numbers in the order in which the last size runs fastest
   */
  Object make(Object sibling, float[] numbers, long[] sizes) {
    Method method = method(type(sibling), m -> m.getParameterCount() == 2);
    Class<?>[] types = method.getParameterTypes();
    Object made =
        call(
            method,
            types[0] == double[].class ? ArrayTensors.widen(numbers) : numbers,
            types[1] == int[].class
                ? Arrays.stream(sizes).mapToInt(Math::toIntExact).toArray()
                : sizes);
    if (made == null) {
      throw new IllegalArgumentException(text + " made nothing");
    }
    return made;
  }

  private Class<?> type(Object sibling) {
    try {
      return Class.forName(owner, true, sibling.getClass().getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "%s: expected a class %s beside %s, found none"
              .formatted(text, owner, sibling.getClass().getTypeName()),
          e);
    }
  }

  private Method method(Class<?> type, Predicate<Method> wanted) {
    for (Method method : type.getDeclaredMethods()) {
      if (Modifier.isStatic(method.getModifiers())
          && wanted.test(method)
          && signature.matches(
              method.getName(),
              Arrays.stream(method.getParameterTypes()).map(Class::getTypeName).toList())
          && method.trySetAccessible()) {
        return method;
      }
    }
    throw new IllegalArgumentException(
        "expected a static field or method %s, found none in %s"
            .formatted(text, type.getTypeName()));
  }

  private @Nullable Object call(Method method, Object... arguments) {
    try {
      return method.invoke(null, arguments);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(text + " cannot be called", e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException(text + " threw " + e.getCause(), e.getCause());
    }
  }
}
