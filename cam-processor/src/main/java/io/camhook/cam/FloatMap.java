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
   * @throws IllegalArgumentException if their number is not that of the shape
   */
  public static FloatMap of(float[] values, int... shape) {
    if (positions(shape) != values.length) {
      throw new IllegalArgumentException(
          "a map of shape %s needs %d values, found %d"
              .formatted(Arrays.toString(shape), positions(shape), values.length));
    }
    return new FloatMap(values, shape.clone());
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

  /** The smallest value; NaN is passed over. */
  public float min() {
    float min = Float.POSITIVE_INFINITY;
    for (float v : values) {
      min = v < min ? v : min;
    }
    return min;
  }

  /** The largest value; NaN is passed over. */
  public float max() {
    float max = Float.NEGATIVE_INFINITY;
    for (float v : values) {
      max = v > max ? v : max;
    }
    return max;
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
    float min = min();
    // In float32 as NumPy does it, which also divides several at a time.
    float divisor = (float) epsilon + (max() - min);
    float[] out = new float[values.length];
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
