package io.camhook.plain;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Arrays of {@code float} and {@code double}, nested to any depth, and buffers of them, as tensors.
 * A nested array has its own shape, which must not be ragged.
 */
final class ArrayTensors {
  private ArrayTensors() {}

  /** Whether the value is of a kind that this class reads. */
  static boolean isArray(@Nullable Object value) {
    if (value instanceof FloatBuffer || value instanceof DoubleBuffer) {
      return true;
    }
    return value != null && element(value.getClass()) != null;
  }

  /** Element type of a (nested) numeric array type; null if it is not one. */
  private static @Nullable Class<?> element(Class<?> type) {
    Class<?> element = type;
    while (element.isArray()) {
      element = element.getComponentType();
    }
    return type.isArray() && (element == float.class || element == double.class) ? element : null;
  }

  /** Whether one can replace the other: both are arrays of one type, or buffers of one type. */
  static boolean isSameKind(Object one, Object other) {
    return one.getClass() == other.getClass()
        || (one instanceof FloatBuffer && other instanceof FloatBuffer)
        || (one instanceof DoubleBuffer && other instanceof DoubleBuffer);
  }

  /**
   * Copies the numbers.
   *
   * @param flatShape shape of a flat array or buffer; null for one dimension
   * @throws IllegalArgumentException if the array is ragged, or has a different number of elements
   */
  static Tensor read(Object array, long @Nullable [] flatShape) {
    boolean doubles = array instanceof DoubleBuffer || element(array.getClass()) == double.class;
    List<Long> nested = new ArrayList<>();
    long count = shape(array, nested, 0);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(count * (doubles ? 8 : 4)))
            .order(ByteOrder.LITTLE_ENDIAN);
    copy(array, bytes);
    long[] shape = nested.stream().mapToLong(Long::longValue).toArray();
    if (flatShape != null && shape.length == 1) {
      shape = checked(flatShape, count);
    }
    return new Tensor(doubles ? DType.F64 : DType.F32, shape, bytes.flip());
  }

  private static long[] checked(long[] shape, long count) {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    if (product != count) {
      throw new IllegalArgumentException(
          "shape %s has %d elements, the array has %d"
              .formatted(java.util.Arrays.toString(shape), product, count));
    }
    return shape;
  }

  /** Appends the sizes from {@code depth} on; returns the number of elements. */
  private static long shape(Object array, List<Long> shape, int depth) {
    long length = length(array);
    if (shape.size() == depth) {
      shape.add(length);
    } else if (shape.get(depth) != length) {
      throw new IllegalArgumentException(
          "array is ragged: rows of %d and %d elements at depth %d"
              .formatted(shape.get(depth), length, depth));
    }
    if (!(array instanceof Object[] rows)) {
      return length;
    }
    long count = 0;
    for (Object row : rows) {
      if (row == null) {
        throw new IllegalArgumentException("array has a null row at depth " + depth);
      }
      count += shape(row, shape, depth + 1);
    }
    return count;
  }

  private static long length(Object array) {
    if (array instanceof FloatBuffer floats) {
      return floats.remaining();
    }
    return array instanceof DoubleBuffer doubles ? doubles.remaining() : Array.getLength(array);
  }

  private static void copy(Object array, ByteBuffer to) {
    if (array instanceof float[] floats) {
      to.asFloatBuffer().put(floats);
      to.position(to.position() + floats.length * 4);
    } else if (array instanceof double[] doubles) {
      to.asDoubleBuffer().put(doubles);
      to.position(to.position() + doubles.length * 8);
    } else if (array instanceof FloatBuffer floats) {
      to.asFloatBuffer().put(floats.duplicate());
      to.position(to.position() + floats.remaining() * 4);
    } else if (array instanceof DoubleBuffer doubles) {
      to.asDoubleBuffer().put(doubles.duplicate());
      to.position(to.position() + doubles.remaining() * 8);
    } else {
      for (Object row : (Object[]) array) {
        copy(row, to);
      }
    }
  }

  /** An array or buffer of the same kind and size that holds {@code numbers}. */
  static Object like(Object array, float[] numbers) {
    return like(array, numbers, new int[1]);
  }

  private static Object like(Object array, float[] numbers, int[] at) {
    if (array instanceof FloatBuffer floats) {
      return FloatBuffer.wrap(slice(numbers, at, floats.remaining()));
    }
    if (array instanceof DoubleBuffer doubles) {
      return DoubleBuffer.wrap(widen(slice(numbers, at, doubles.remaining())));
    }
    if (array instanceof float[] floats) {
      return slice(numbers, at, floats.length);
    }
    if (array instanceof double[] doubles) {
      return widen(slice(numbers, at, doubles.length));
    }
    Object[] rows = (Object[]) array;
    Object[] copy = (Object[]) Array.newInstance(rows.getClass().getComponentType(), rows.length);
    for (int i = 0; i < rows.length; i++) {
      copy[i] = like(rows[i], numbers, at);
    }
    return copy;
  }

  private static float[] slice(float[] numbers, int[] at, int length) {
    float[] slice = java.util.Arrays.copyOfRange(numbers, at[0], at[0] + length);
    at[0] += length;
    return slice;
  }

  static double[] widen(float[] numbers) {
    double[] wide = new double[numbers.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = numbers[i];
    }
    return wide;
  }

  /**
   * Overwrites an array or buffer with another's numbers.
   *
   * @throws IllegalArgumentException if they differ in kind or size
   */
  static void overwrite(Object target, Object source) {
    if (target instanceof Object[] to
        && source instanceof Object[] from
        && to.length == from.length) {
      for (int i = 0; i < to.length; i++) {
        overwrite(to[i], from[i]);
      }
    } else if (target instanceof FloatBuffer to
        && source instanceof FloatBuffer from
        && to.remaining() == from.remaining()) {
      to.duplicate().put(from.duplicate());
    } else if (target instanceof DoubleBuffer to
        && source instanceof DoubleBuffer from
        && to.remaining() == from.remaining()) {
      to.duplicate().put(from.duplicate());
    } else if (target.getClass() == source.getClass()
        && element(target.getClass()) != null
        && Array.getLength(target) == Array.getLength(source)) {
      System.arraycopy(source, 0, target, 0, Array.getLength(source));
    } else {
      throw new IllegalArgumentException(
          "a hook replaced %s by %s; expected the same kind and size"
              .formatted(target.getClass().getTypeName(), source.getClass().getTypeName()));
    }
  }
}
