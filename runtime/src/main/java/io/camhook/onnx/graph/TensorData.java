package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Random;

/**
 * {@code TensorProto}: a constant, by name, type, dimensions and a slice of the file. Values are
 * read on demand.
 */
public final class TensorData {
  private static final int NAME = 8;
  private static final int RAW = 9;

  private final String name;
  private final ElementType type;
  private final long[] dimensions;
  private final Message message;

  private TensorData(String name, ElementType type, long[] dimensions, Message message) {
    this.name = name;
    this.type = type;
    this.dimensions = dimensions;
    this.message = message;
  }

  static TensorData parse(ByteString bytes) throws OnnxException {
    Message message = Message.parse(bytes, "a constant tensor");
    String name = message.text(NAME);
    return new TensorData(
        name,
        ElementType.of(message.number(2, 0)),
        message.numbers(1, "the dimensions of " + name),
        message);
  }

  /** An int64 tensor. */
  public static TensorData of(String name, long[] dimensions, long... values) {
    ByteBuffer raw = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    return of(name, ElementType.INT64, dimensions, raw);
  }

  /** A real tensor of a type; float16 and bfloat16 are rounded. */
  public static TensorData of(String name, ElementType type, long[] dimensions, double... values) {
    ByteBuffer raw =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      switch (type) {
        case FLOAT -> raw.putFloat((float) value);
        case DOUBLE -> raw.putDouble(value);
        case FLOAT16 -> raw.putShort(HalfFloats.toFloat16((float) value));
        case BFLOAT16 -> raw.putShort(HalfFloats.toBfloat16((float) value));
        case INT64 -> raw.putLong((long) value);
        case INT32 -> raw.putInt((int) value);
        default -> throw new IllegalArgumentException("no constants of type " + type);
      }
    }
    raw.rewind();
    return of(name, type, dimensions, raw);
  }

  private static TensorData of(String name, ElementType type, long[] dimensions, ByteBuffer raw) {
    UnknownFieldSet fields =
        UnknownFieldSet.newBuilder()
            .addField(1, Message.numbers(dimensions))
            .addField(2, Message.number(type.id()))
            .addField(NAME, Message.text(name))
            .addField(RAW, Message.bytes(ByteString.copyFrom(raw)))
            .build();
    return new TensorData(name, type, dimensions.clone(), new Message(fields));
  }

  /** The same values in random order; integers as they are. */
  public TensorData shuffled(Random random) throws OnnxException {
    if (!type.isReal()) {
      return this;
    }
    double[] values = reals();
    for (int i = values.length - 1; i > 0; i--) { // Fisher and Yates
      int other = random.nextInt(i + 1);
      double held = values[i];
      values[i] = values[other];
      values[other] = held;
    }
    return of(name, type, dimensions, values);
  }

  /** The same values under another name. */
  public TensorData named(String other) {
    UnknownFieldSet.Builder fields = message.fields().toBuilder();
    fields.clearField(NAME).addField(NAME, Message.text(other));
    return new TensorData(other, type, dimensions, new Message(fields.build()));
  }

  public String name() {
    return name;
  }

  public ElementType type() {
    return type;
  }

  public long[] dimensions() {
    return dimensions.clone();
  }

  public TensorType tensorType() {
    return TensorType.of(type, dimensions);
  }

  /** The number of elements; -1 if the dimensions are not sizes. */
  public long size() {
    long size = 1;
    for (long dimension : dimensions) {
      if (dimension < 0 || (size > 0 && dimension > Long.MAX_VALUE / size)) {
        return -1;
      }
      size *= dimension;
    }
    return size;
  }

  /** Whether its values are in a file beside the model. */
  public boolean isExternal() {
    return message.number(14, 0) == 1;
  }

  /** Where its values are stored: {@code location}, {@code offset}, {@code length}. */
  public Map<String, String> external() throws OnnxException {
    return message.entries(13, "the external data of " + name);
  }

  /**
   * Its values as integers.
   *
   * @throws OnnxException if they are not integers, are stored elsewhere, or are fewer than the
   *     dimensions say
   */
  public long[] longs() throws OnnxException {
    double[] reals = type == ElementType.INT64 ? new double[0] : reals();
    if (type != ElementType.INT64) {
      long[] values = new long[reals.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (long) reals[i];
      }
      return values;
    }
    int count = count();
    if (message.has(RAW)) {
      long[] values = new long[count];
      raw(count).asLongBuffer().get(values);
      return values;
    }
    return checked(message.numbers(7, name), count);
  }

  /**
   * Its values.
   *
   * @throws OnnxException if they are not numbers, are stored elsewhere, or are fewer than the
   *     dimensions say
   */
  public double[] reals() throws OnnxException {
    int count = count();
    double[] values = new double[count];
    if (message.has(RAW)) {
      ByteBuffer raw = raw(count);
      for (int i = 0; i < count; i++) {
        values[i] =
            switch (type) {
              case FLOAT -> raw.getFloat();
              case DOUBLE -> raw.getDouble();
              case FLOAT16 -> HalfFloats.fromFloat16(raw.getShort());
              case BFLOAT16 -> HalfFloats.fromBfloat16(raw.getShort());
              case INT64, UINT64 -> raw.getLong();
              case INT32 -> raw.getInt();
              case UINT32 -> raw.getInt() & 0xffffffffL;
              case INT16 -> raw.getShort();
              case UINT16 -> raw.getShort() & 0xffff;
              case INT8 -> raw.get();
              case UINT8, BOOL -> raw.get() & 0xff;
              default -> throw new OnnxException("constant " + name + " of type " + type);
            };
      }
      return values;
    }
    switch (type) {
      case FLOAT -> {
        float[] floats = message.reals(4, name);
        if (floats.length < count) {
          throw tooFew(floats.length, count);
        }
        for (int i = 0; i < count; i++) {
          values[i] = floats[i];
        }
      }
      case DOUBLE -> {
        java.util.List<Long> single = message.fields().getField(10).getFixed64List();
        int at = 0;
        for (int i = 0; i < Math.min(count, single.size()); i++) {
          values[at++] = Double.longBitsToDouble(single.get(i));
        }
        for (ByteString packed : message.bytes(10)) {
          ByteBuffer doubles = packed.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
          while (doubles.remaining() >= 8 && at < count) {
            values[at++] = doubles.getDouble();
          }
        }
        if (at < count) {
          throw tooFew(at, count);
        }
      }
      case INT64 -> widen(checked(message.numbers(7, name), count), values);
      case UINT32, UINT64 -> widen(checked(message.numbers(11, name), count), values);
      case INT32, INT16, INT8, UINT16, UINT8, BOOL ->
          widen(checked(message.numbers(5, name), count), values);
      case FLOAT16, BFLOAT16 -> {
        long[] bits = checked(message.numbers(5, name), count);
        for (int i = 0; i < count; i++) {
          values[i] =
              type == ElementType.FLOAT16
                  ? HalfFloats.fromFloat16((short) bits[i])
                  : HalfFloats.fromBfloat16((short) bits[i]);
        }
      }
      default ->
          throw new OnnxException("constant " + name + " of type " + type + " has no values");
    }
    return values;
  }

  private int count() throws OnnxException {
    if (isExternal()) {
      throw new OnnxException("the values of constant " + name + " lie in another file");
    }
    long size = size();
    if (size < 0 || size > Integer.MAX_VALUE / 8) {
      throw new OnnxException(
          "constant "
              + name
              + " has impossible dimensions "
              + java.util.Arrays.toString(dimensions));
    }
    return (int) size;
  }

  private ByteBuffer raw(int count) throws OnnxException {
    java.util.List<ByteString> all = message.bytes(RAW);
    ByteString raw = all.get(all.size() - 1);
    if (raw.size() < (long) count * type.bytes()) {
      throw tooFew(type.bytes() == 0 ? 0 : raw.size() / type.bytes(), count);
    }
    return raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private long[] checked(long[] values, int count) throws OnnxException {
    if (values.length < count) {
      throw tooFew(values.length, count);
    }
    return values.length == count ? values : java.util.Arrays.copyOf(values, count);
  }

  private static void widen(long[] from, double[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] = from[i];
    }
  }

  private OnnxException tooFew(int found, int expected) {
    return new OnnxException(
        "constant " + name + " is damaged: " + expected + " values expected, " + found + " found");
  }

  UnknownFieldSet message() {
    return message.fields();
  }

  @Override
  public String toString() {
    return name + ": " + type + java.util.Arrays.toString(dimensions);
  }
}
