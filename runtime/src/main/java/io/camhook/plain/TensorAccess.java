package io.camhook.plain;

import io.camhook.config.FlatInputShape;
import io.camhook.config.PlainNetwork;
import io.camhook.recording.Tensor;
import java.lang.reflect.Array;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and makes a network's tensors: arrays and buffers directly, and the application's tensor
 * objects through the member configured as {@code value}. The shape comes from the (nested) array,
 * or from the member configured as {@code shape}: a member of the tensor class if {@code value} is
 * set, otherwise of the module. Thread-safe.
 */
final class TensorAccess {
  private final @Nullable String value;
  private final @Nullable MemberChain values;
  private final ClassValue<Boolean> haveValues;
  private final ClassValue<Optional<Member>> shapes;

  private final @Nullable StaticMember make;

  TensorAccess(PlainNetwork.Values places) {
    this.make = places.make() == null ? null : new StaticMember(places.make());
    this.value = places.value();
    this.values = value == null ? null : new MemberChain(value);
    this.haveValues =
        new ClassValue<>() {
          @Override
          protected Boolean computeValue(Class<?> type) {
            return values != null && values.beginsIn(type);
          }
        };
    this.shapes = members(places.shape());
  }

  private static ClassValue<Optional<Member>> members(@Nullable String name) {
    return new ClassValue<>() {
      @Override
      protected Optional<Member> computeValue(Class<?> type) {
        return name == null ? Optional.empty() : Member.find(type, name);
      }
    };
  }

  /** Whether the value is an object of the application that holds its numbers in a member. */
  boolean isObject(Object tensor) {
    return !ArrayTensors.isArray(tensor) && haveValues.get(tensor.getClass());
  }

  /** Whether the configuration lets us read this value. */
  boolean isTensor(@Nullable Object tensor) {
    return ArrayTensors.isArray(tensor) || (tensor != null && haveValues.get(tensor.getClass()));
  }

  /**
   * A copy of the numbers.
   *
   * @param module the module that returned it, which knows the shape of a flat array; null if it is
   *     not an output
   * @throws IllegalArgumentException if it is not a tensor, or its shape does not fit
   */
  Tensor read(Object tensor, @Nullable Object module) {
    Object array = array(tensor);
    Object shapeOwner = array == tensor ? module : tensor;
    return ArrayTensors.read(
        array,
        shapeOwner == null
            ? null
            : shapes.get(shapeOwner.getClass()).map(m -> sizes(m, shapeOwner)).orElse(null));
  }

  /**
   * A copy of the numbers of a root's input.
   *
   * @param shape its shape if it is a flat array; null if not configured
   * @throws IllegalArgumentException if it is not a tensor, or the shape does not fit or is missing
   */
  Tensor readInput(Object tensor, Object root, @Nullable FlatInputShape shape) {
    Object array = array(tensor);
    if (array != tensor || shape == null) {
      return read(tensor, null);
    }
    if (shape.member() == null) {
      return ArrayTensors.read(array, shape.sizes().stream().mapToLong(s -> s).toArray());
    }
    Member member =
        Member.find(root.getClass(), shape.member())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "inputShape: expected a field or method %s in %s, found none"
                            .formatted(shape.member(), root.getClass().getTypeName())));
    return ArrayTensors.read(array, sizes(member, root));
  }

  private Object array(Object tensor) {
    if (ArrayTensors.isArray(tensor)) {
      return tensor;
    }
    Object array = values != null && haveValues.get(tensor.getClass()) ? values.get(tensor) : null;
    if (array == null || !ArrayTensors.isArray(array)) {
      throw new IllegalArgumentException(
          "expected float[], double[], arrays of them, a FloatBuffer%s; found %s"
              .formatted(
                  value == null
                      ? " (or name the member that holds them as value:)"
                      : " or an object whose member " + value + " gives one",
                  tensor.getClass().getTypeName()));
    }
    return array;
  }

  private static long @Nullable [] sizes(Member member, Object owner) {
    Object found = member.get(owner);
    if (found == null) {
      return null;
    }
    if (found instanceof List<?> list) {
      return list.stream().mapToLong(size -> ((Number) size).longValue()).toArray();
    }
    if (!(found instanceof int[]) && !(found instanceof long[])) {
      throw new IllegalArgumentException(
          "expected int[], long[] or a list of numbers as shape, found %s in %s"
              .formatted(found.getClass().getTypeName(), member));
    }
    long[] sizes = new long[Array.getLength(found)];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = Array.getLong(found, i);
    }
    return sizes;
  }

  /**
   * A value of the same class, size and shape with other numbers; shares nothing that a backward
   * could change.
   *
   * @throws IllegalArgumentException if such a value cannot be made
   */
  Object like(Object tensor, float[] numbers) {
    return make == null || ArrayTensors.isArray(tensor)
        ? copyOf(tensor, numbers)
        : make.make(tensor, numbers, read(tensor, null).shape());
  }

  /**
   * The same with a known shape, because the memory of {@code tensor} may have been freed.
   *
   * @param shape its shape
   */
  Object like(Object tensor, float[] numbers, long[] shape) {
    return make == null || ArrayTensors.isArray(tensor)
        ? copyOf(tensor, numbers)
        : make.make(tensor, numbers, shape);
  }

  private Object copyOf(Object tensor, float[] numbers) {
    Object array = array(tensor);
    Object replaced = ArrayTensors.like(array, numbers);
    if (array == tensor) {
      return replaced;
    }
    if (values != null && values.isLong()) {
      throw new IllegalArgumentException(
          "value: %s reads %s; camhook cannot make one with other numbers, which its own backward needs: name a static method that does as make:, or write target: none to record activations, or target: loss to record the gradients of the application's own backward"
              .formatted(values, tensor.getClass().getTypeName()));
    }
    return ObjectFields.copyWith(tensor, array, replaced);
  }

  /** Overwrites a tensor in place. */
  void overwrite(Object target, Object source) {
    Object array = array(target);
    ArrayTensors.overwrite(array, array(source));
    if (array != target && values != null && values.isLong() && array(target) != array) {
      throw new IllegalArgumentException(
          "value: %s gives a copy of the numbers of %s, so that a hook cannot replace them"
              .formatted(values, target.getClass().getTypeName()));
    }
  }
}
