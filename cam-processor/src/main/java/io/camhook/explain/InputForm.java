package io.camhook.explain;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * The form in which a model takes one of its inputs, and its conversion to the form used by methods
 * that change inputs: float32 {@code [n,C,…]} for every type and position of the channels. A
 * waveform {@code [n,L]} and token ids {@code [n,T]} have one channel in that form. Immutable.
 */
final class InputForm {
  private static final Set<DType> FLOATING =
      EnumSet.of(DType.F16, DType.BF16, DType.F32, DType.F64);

  private final DType dtype;
  private final int rank;
  private final boolean channelsLast;

  private InputForm(DType dtype, int rank, boolean channelsLast) {
    this.dtype = dtype;
    this.rank = rank;
    this.channelsLast = channelsLast && rank > 2;
  }

  /**
   * The form of an input.
   *
   * @param channelsLast whether its last dimension is that of the channels
   */
  static InputForm of(Tensor input, boolean channelsLast) {
    return new InputForm(input.dtype(), input.rank(), channelsLast);
  }

  static boolean isFloating(Tensor tensor) {
    return FLOATING.contains(tensor.dtype());
  }

  /** A picture or volume with its one to four channels last, as in TensorFlow. */
  static boolean hasChannelsLast(Tensor input) {
    int rank = input.rank();
    return rank > 3 && input.size(1) > 4 && input.size(rank - 1) <= 4;
  }

  /** Whether the input holds integers, such as token ids, which must not be multiplied. */
  boolean isInteger() {
    return !FLOATING.contains(dtype);
  }

  boolean isChannelsLast() {
    return channelsLast;
  }

  /** The input in the form that methods use. */
  Tensor forMethods(Tensor input) {
    float[] values = input.toFloats();
    long[] shape = input.shape();
    if (rank < 2) {
      return Tensor.ofFloats(values, 1, 1, values.length);
    }
    if (rank == 2) {
      return Tensor.ofFloats(values, shape[0], 1, shape[1]);
    }
    return channelsLast ? turned(values, shape, true) : Tensor.ofFloats(values, shape);
  }

  /** The model's input for a changed one. */
  Tensor forModel(Tensor changed) {
    Tensor turned = changed;
    long[] shape = changed.shape();
    if (rank < 2) {
      turned = changed.reshaped(rank == 0 ? new long[0] : new long[] {changed.elements()});
    } else if (rank == 2) {
      turned = changed.reshaped(shape[0], shape[2]);
    } else if (channelsLast) {
      turned = turned(changed.toFloats(), shape, false);
    }
    return turned.to(dtype);
  }

  /** Moves the channels of {@code [n,…]} from last to second, or back. */
  private static Tensor turned(float[] values, long[] shape, boolean toFront) {
    int rank = shape.length;
    int n = (int) shape[0];
    int channels = (int) shape[toFront ? rank - 1 : 1];
    int positions = values.length / Math.max(1, n * channels);
    float[] out = new float[values.length];
    for (int i = 0; i < n; i++) {
      int at = i * channels * positions;
      for (int p = 0; p < positions; p++) {
        for (int c = 0; c < channels; c++) {
          int last = at + p * channels + c;
          int second = at + c * positions + p;
          out[toFront ? second : last] = values[toFront ? last : second];
        }
      }
    }
    long[] moved = shape.clone();
    if (toFront) {
      moved[1] = channels;
      System.arraycopy(shape, 1, moved, 2, rank - 2);
    } else {
      System.arraycopy(shape, 2, moved, 1, rank - 2);
      moved[rank - 1] = channels;
    }
    return Tensor.ofFloats(out, moved);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InputForm o
        && dtype == o.dtype
        && rank == o.rank
        && channelsLast == o.channelsLast;
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(new Object[] {dtype, rank, channelsLast});
  }
}
