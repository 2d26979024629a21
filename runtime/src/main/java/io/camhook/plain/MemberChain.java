package io.camhook.plain;

import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A path of members: {@code dup.data.asFloat}, {@code second}, {@code outputs.0}; a number is an
 * element of an array or collection. Each member is resolved on the class of the object that the
 * path has reached.
 */
final class MemberChain {
  private final List<String> parts;

  MemberChain(String path) {
    parts = Arrays.asList(path.split("\\."));
  }

  /** Whether there is more than one step, so that the result may be a copy. */
  boolean isLong() {
    return parts.size() > 1;
  }

  /** Whether objects of a class have the first member. */
  boolean beginsIn(Class<?> type) {
    String first = parts.get(0);
    return isNumber(first)
        ? type.isArray() || Collection.class.isAssignableFrom(type)
        : Member.find(type, first).isPresent();
  }

  /**
   * The value at the end of the chain from {@code owner}; null if a value on the path is null.
   *
   * @throws IllegalArgumentException if an object on the path has no such member
   */
  @Nullable Object get(Object owner) {
    Object at = owner;
    for (String part : parts) {
      if (at == null) {
        return null;
      }
      at = isNumber(part) ? element(at, Integer.parseInt(part)) : member(at, part);
    }
    return at;
  }

  private @Nullable Object member(Object owner, String name) {
    return Member.find(owner.getClass(), name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: expected a field or a method without arguments %s in %s, found none"
                        .formatted(this, name, owner.getClass().getTypeName())))
        .get(owner);
  }

  private @Nullable Object element(Object owner, int index) {
    if (owner.getClass().isArray()) {
      return index < Array.getLength(owner) ? Array.get(owner, index) : null;
    }
    if (owner instanceof Collection<?> all) {
      Iterator<?> elements = all.iterator();
      for (int i = 0; elements.hasNext(); i++) {
        Object element = elements.next();
        if (i == index) {
          return element;
        }
      }
      return null;
    }
    throw new IllegalArgumentException(
        "%s: expected an array or a collection, which has an element %d; found %s"
            .formatted(this, index, owner.getClass().getTypeName()));
  }

  private static boolean isNumber(String part) {
    return Character.isDigit(part.charAt(0));
  }

  @Override
  public String toString() {
    return String.join(".", parts);
  }
}
