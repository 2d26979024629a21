package io.camhook.onnx.graph;

import java.util.Locale;

/** {@code TensorProto.DataType}: the element type of a tensor. */
public enum ElementType {
  UNDEFINED(0, 0),
  FLOAT(1, 4),
  UINT8(2, 1),
  INT8(3, 1),
  UINT16(4, 2),
  INT16(5, 2),
  INT32(6, 4),
  INT64(7, 8),
  STRING(8, 0),
  BOOL(9, 1),
  FLOAT16(10, 2),
  DOUBLE(11, 8),
  UINT32(12, 4),
  UINT64(13, 8),
  COMPLEX64(14, 8),
  COMPLEX128(15, 16),
  BFLOAT16(16, 2),
  /** One of the 8, 6 or 4 bit types of later versions of the format. */
  OTHER(-1, 0);

  private final int id;
  private final int bytes;

  ElementType(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** Its number in the format. */
  public int id() {
    return id;
  }

  /** Bytes of an element; 0 if it has no fixed size. */
  public int bytes() {
    return bytes;
  }

  /** Whether gradients can have this type. */
  public boolean isReal() {
    return this == FLOAT || this == DOUBLE || this == FLOAT16 || this == BFLOAT16;
  }

  /** The type of a number in the format; {@link #OTHER} for unknown numbers. */
  public static ElementType of(long id) {
    for (ElementType type : values()) {
      if (type.id == id) {
        return type;
      }
    }
    return OTHER;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
