package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.zip.Checksum;

/**
 * A dense row-major array of any rank: element type, shape and little-endian bytes. Immutable by
 * convention: {@link #data()} is a read-only view. A rank of 0 is a scalar of one element.
 */
public final class Tensor {
  private static final int PIECE_BYTES = 1 << 16;

  private final DType dtype;
  private final long[] shape;
  private final ByteBuffer data;

  /**
   * Wraps {@code data} (from its position to its limit, not copied).
   *
   * @throws IllegalArgumentException if the byte count does not match the shape
   */
  public Tensor(DType dtype, long[] shape, ByteBuffer data) {
    long expected = Math.multiplyExact(elements(shape), dtype.bytes());
    if (data.remaining() != expected) {
      throw new IllegalArgumentException(
          "shape %s of %s needs %d bytes, found %d"
              .formatted(Arrays.toString(shape), dtype, expected, data.remaining()));
    }
    this.dtype = dtype;
    this.shape = shape.clone();
    this.data = data.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A float32 tensor; {@code values} is copied. */
  public static Tensor ofFloats(float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, 4)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new Tensor(DType.F32, shape, bytes);
  }

  /** An int64 tensor; {@code values} is copied. */
  public static Tensor ofLongs(long[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, 8)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return new Tensor(DType.I64, shape, bytes);
  }

  /** An unsigned 8-bit tensor over {@code values}, not copied. */
  public static Tensor ofBytes(byte[] values, long... shape) {
    return new Tensor(DType.U8, shape, ByteBuffer.wrap(values));
  }

  public DType dtype() {
    return dtype;
  }

  /** A copy of the shape. */
  public long[] shape() {
    return shape.clone();
  }

  public int rank() {
    return shape.length;
  }

  public long size(int dimension) {
    return shape[dimension];
  }

  /** Number of elements. */
  public long elements() {
    return elements(shape);
  }

  /** Number of bytes. */
  public long byteSize() {
    return data.remaining();
  }

  /** The bytes, little endian, read-only; position 0. Each call gives an independent view. */
  public ByteBuffer data() {
    return data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Adds the bytes to {@code checksum}; with the read-only view, the JDK would copy them first. */
  void updateChecksum(Checksum checksum) {
    checksum.update(data.duplicate());
  }

  /** Writes the bytes in pieces, because the JDK copies data on the heap. */
  void write(WritableByteChannel channel) throws IOException {
    ByteBuffer piece = data.duplicate();
    int end = piece.limit();
    while (piece.position() < end) {
      piece.limit(Math.min(end, piece.position() + PIECE_BYTES));
      while (piece.hasRemaining()) {
        channel.write(piece);
      }
    }
  }

  /** The bytes themselves, for a writer in this package. */
  ByteBuffer bytes() {
    return data.duplicate();
  }

  /**
   * The values as float32, row-major; F16, BF16, F64 and integers are converted.
   *
   * @throws IllegalStateException if there are too many for an array
   */
  public float[] toFloats() {
    long n = elements();
    if (n > Integer.MAX_VALUE - 8) {
      throw new IllegalStateException("tensor of " + n + " elements does not fit a Java array");
    }
    float[] out = new float[(int) n];
    ByteBuffer in = data();
    switch (dtype) {
      case F32 -> in.asFloatBuffer().get(out);
      case F64 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = (float) in.getDouble(i * 8);
        }
      }
      case F16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = HalfFloat.toFloat(in.getShort(i * 2));
        }
      }
      case BF16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Float.intBitsToFloat(in.getShort(i * 2) << 16);
        }
      }
      case BOOL, U8 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.get(i) & 0xff;
        }
      }
      case I8 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.get(i);
        }
      }
      case I16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.getShort(i * 2);
        }
      }
      case U16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.getShort(i * 2) & 0xffff;
        }
      }
      case I32 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.getInt(i * 4);
        }
      }
      case U32 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.getInt(i * 4) & 0xffffffffL;
        }
      }
      case I64, U64 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = in.getLong(i * 8);
        }
      }
    }
    return out;
  }

  /**
   * The values converted to another type via float32, rounded to nearest; this tensor if it already
   * has the type.
   */
  public Tensor to(DType type) {
    if (type == dtype) {
      return this;
    }
    float[] values = toFloats();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, type.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case F32 -> bytes.putFloat(value);
        case F64 -> bytes.putDouble(value);
        case F16 -> bytes.putShort(HalfFloat.of(value));
        case BF16 -> bytes.putShort(HalfFloat.brainOf(value));
        case BOOL -> bytes.put((byte) (value != 0 ? 1 : 0));
        case U8, I8 -> bytes.put((byte) Math.round(value));
        case U16, I16 -> bytes.putShort((short) Math.round(value));
        case U32, I32 -> bytes.putInt((int) Math.round((double) value));
        case U64, I64 -> bytes.putLong(Math.round((double) value));
      }
    }
    return new Tensor(type, shape, bytes.flip());
  }

  /** The same values in another shape with the same number of elements. */
  public Tensor reshaped(long... other) {
    return new Tensor(dtype, other, data);
  }

  /**
   * The number of elements of {@code shape}; throws {@link ArithmeticException} on overflow or a
   * negative size.
   */
  static long elements(long[] shape) {
    long n = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new ArithmeticException("negative size in shape " + Arrays.toString(shape));
      }
      n = Math.multiplyExact(n, size);
    }
    return n;
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
