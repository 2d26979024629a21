package io.camhook.cam;

import io.camhook.recording.Tensor;
import java.util.Arrays;

/**
 * One float per spatial position, row-major: a raw CAM or a heatmap. The shape is {@code [L]},
 * {@code [H,W]} or {@code [D,H,W]}. Immutable by convention: {@link #values()} is not copied and
 * must not be written.
 */
public final class FloatMap {
  private final float[] values;
  private final int[] shape;

  private FloatMap(float[] values, int[] shape) {
    this.values = values;
    this.shape = shape;
  }

  /**
   * Wraps {@code values}, not copied.
   *
   * @throws IllegalArgumentException if their number does not match the shape
   */
  public static FloatMap of(float[] values, int... shape) {
    if (positions(shape) != values.length) {
      throw new IllegalArgumentException(
          "a map of shape %s needs %d values, found %d"
              .formatted(Arrays.toString(shape), positions(shape), values.length));
    }
    return new FloatMap(values, shape.clone());
  }

  /** The values as float32. */
  static FloatMap of(double[] values, int... shape) {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) values[i];
    }
    return of(out, shape);
  }

  /** The values, row-major; not a copy. */
  public float[] values() {
    return values;
  }

  /** A copy of the shape. */
  public int[] shape() {
    return shape.clone();
  }

  public int rank() {
    return shape.length;
  }

  /** The smallest value; NaN is ignored. */
  public float min() {
    return range()[0];
  }

  /** The largest value; NaN is ignored. */
  public float max() {
    return range()[1];
  }

  /**
   * The smallest and the largest value. Four at a time: one comparison waits for the one before.
   */
  private float[] range() {
    float low0 = Float.POSITIVE_INFINITY;
    float low1 = low0;
    float low2 = low0;
    float low3 = low0;
    float high0 = Float.NEGATIVE_INFINITY;
    float high1 = high0;
    float high2 = high0;
    float high3 = high0;
    int i = 0;
    for (; i < values.length - 3; i += 4) {
      float a = values[i];
      float b = values[i + 1];
      float c = values[i + 2];
      float d = values[i + 3];
      low0 = a < low0 ? a : low0;
      low1 = b < low1 ? b : low1;
      low2 = c < low2 ? c : low2;
      low3 = d < low3 ? d : low3;
      high0 = a > high0 ? a : high0;
      high1 = b > high1 ? b : high1;
      high2 = c > high2 ? c : high2;
      high3 = d > high3 ? d : high3;
    }
    for (; i < values.length; i++) {
      low0 = values[i] < low0 ? values[i] : low0;
      high0 = values[i] > high0 ? values[i] : high0;
    }
    return new float[] {
      Math.min(Math.min(low0, low1), Math.min(low2, low3)),
      Math.max(Math.max(high0, high1), Math.max(high2, high3))
    };
  }

  /** Row-major index of the first largest value. */
  public int argMax() {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /** {@code max(v, 0)} of every value. */
  public FloatMap relu() {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = Math.max(values[i], 0f);
    }
    return new FloatMap(out, shape);
  }

  /** {@code -v} of every value. */
  public FloatMap negated() {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = -values[i];
    }
    return new FloatMap(out, shape);
  }

  /**
   * Min-max scaling to 0..1 as pytorch-grad-cam does it: {@code (v - min) / (epsilon + max(v -
   * min))}. A constant map becomes 0 everywhere.
   */
  public FloatMap scaled(double epsilon) {
    return scaledInto(new float[values.length], epsilon, range());
  }

  /** The same in place, for a map that is not shared. */
  FloatMap scaledHere(double epsilon) {
    return scaledHere(epsilon, range());
  }

  /** The same, with the smallest and the largest value known. */
  FloatMap scaledHere(double epsilon, float[] range) {
    return scaledInto(values, epsilon, range);
  }

  private FloatMap scaledInto(float[] out, double epsilon, float[] range) {
    float min = range[0];
    // In float32, as in NumPy; this also divides several values at a time.
    float divisor = (float) epsilon + (range[1] - min);
    for (int i = 0; i < out.length; i++) {
      out[i] = (values[i] - min) / divisor;
    }
    return new FloatMap(out, shape);
  }

  /** The map as a float32 tensor of its own shape. */
  public Tensor toTensor() {
    return Tensor.ofFloats(values, Arrays.stream(shape).asLongStream().toArray());
  }

  static int positions(int[] shape) {
    int n = 1;
    for (int size : shape) {
      n = Math.multiplyExact(n, size);
    }
    return n;
  }

  @Override
  public String toString() {
    return "FloatMap" + Arrays.toString(shape);
  }
}
