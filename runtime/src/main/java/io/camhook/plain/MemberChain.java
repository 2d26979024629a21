package io.camhook.plain;

import io.camhook.config.Place;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A path of members: {@code dup.data.asFloat}, {@code second}, {@code outputs.0}; a number is an
 * element of an array or collection, {@code *} stands for all of them: {@code neurons.*.output} is
 * an array of what the rest of the path finds in each. Each member is resolved on the class of the
 * object that the path has reached.
 */
final class MemberChain {
  private final List<String> parts;

  MemberChain(String path) {
    this(Arrays.asList(path.split("\\.")));
  }

  private MemberChain(List<String> parts) {
    this.parts = parts;
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
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      if (at == null) {
        return null;
      }
      if (part.equals(Place.EACH)) {
        return each(at, new MemberChain(parts.subList(i + 1, parts.size())));
      }
      at = isNumber(part) ? element(at, Integer.parseInt(part)) : member(at, part);
    }
    return at;
  }

  /** An array of numbers, or of arrays; null if an element has none. */
  private @Nullable Object each(Object owner, MemberChain rest) {
    List<Object> found = new ArrayList<>();
    for (Object element : elements(owner)) {
      Object value = element == null ? null : rest.get(element);
      if (value == null) {
        return null;
      }
      found.add(value);
    }
    if (found.isEmpty()) {
      return null;
    }
    if (found.stream().allMatch(Number.class::isInstance)) {
      return found.stream().mapToDouble(value -> ((Number) value).doubleValue()).toArray();
    }
    Class<?> type = found.get(0).getClass();
    if (!found.stream().allMatch(type::isInstance)) {
      return null;
    }
    return found.toArray(size -> (Object[]) Array.newInstance(type, size));
  }

  private List<@Nullable Object> elements(Object owner) {
    if (owner.getClass().isArray()) {
      List<@Nullable Object> all = new ArrayList<>();
      for (int i = 0; i < Array.getLength(owner); i++) {
        all.add(Array.get(owner, i));
      }
      return all;
    }
    if (owner instanceof Collection<?> all) {
      return new ArrayList<>(all);
    }
    throw new IllegalArgumentException(
        "%s: expected an array or a collection, which has elements; found %s"
            .formatted(this, owner.getClass().getTypeName()));
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
