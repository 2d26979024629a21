package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code ValueInfoProto}: an input, an output or an inner value and its declared type. */
public final class ValueInfo {
  private final String name;
  private final @Nullable TensorType type;
  private final UnknownFieldSet message;

  private ValueInfo(String name, @Nullable TensorType type, UnknownFieldSet message) {
    this.name = name;
    this.type = type;
    this.message = message;
  }

  static ValueInfo parse(ByteString bytes) throws OnnxException {
    Message value = Message.parse(bytes, "a graph's value");
    String name = value.text(1);
    Message type = Message.parse(value.message(2), "the type of " + name);
    TensorType tensor = null;
    if (type.has(1)) {
      Message declared = Message.parse(type.message(1), "the type of " + name);
      tensor =
          new TensorType(
              ElementType.of(declared.number(1, 0)),
              declared.has(2) ? dimensions(declared.message(2), name) : null);
    }
    return new ValueInfo(name, tensor, value.fields());
  }

  private static List<Dimension> dimensions(ByteString shape, String name) throws OnnxException {
    List<Dimension> dimensions = new ArrayList<>();
    for (ByteString bytes : Message.parse(shape, "the shape of " + name).bytes(1)) {
      Message dimension = Message.parse(bytes, "the shape of " + name);
      String symbol = dimension.text(2);
      if (dimension.has(1)) {
        dimensions.add(Dimension.of(dimension.number(1, -1)));
      } else if (symbol.isEmpty() || symbol.startsWith("unk__")) {
        dimensions.add(Dimension.UNKNOWN);
      } else {
        dimensions.add(new Dimension(-1, symbol));
      }
    }
    return dimensions;
  }

  /** A value by name alone; engines infer its type. */
  public static ValueInfo named(String name) {
    return new ValueInfo(
        name, null, UnknownFieldSet.newBuilder().addField(1, Message.text(name)).build());
  }

  /** A value with a type. */
  public static ValueInfo of(String name, TensorType type) {
    UnknownFieldSet.Builder tensor = UnknownFieldSet.newBuilder();
    tensor.addField(1, Message.number(type.element().id()));
    List<Dimension> dimensions = type.dimensions();
    if (dimensions != null) {
      UnknownFieldSet.Field.Builder all = UnknownFieldSet.Field.newBuilder();
      for (Dimension dimension : dimensions) {
        UnknownFieldSet.Builder one = UnknownFieldSet.newBuilder();
        if (dimension.isFixed()) {
          one.addField(1, Message.number(dimension.size()));
        } else if (dimension.symbol() != null) {
          one.addField(2, Message.text(dimension.symbol()));
        }
        all.addLengthDelimited(one.build().toByteString());
      }
      tensor.addField(
          2,
          Message.bytes(
              UnknownFieldSet.newBuilder().addField(1, all.build()).build().toByteString()));
    }
    UnknownFieldSet typed =
        UnknownFieldSet.newBuilder()
            .addField(1, Message.bytes(tensor.build().toByteString()))
            .build();
    return new ValueInfo(
        name,
        type,
        UnknownFieldSet.newBuilder()
            .addField(1, Message.text(name))
            .addField(2, Message.bytes(typed.toByteString()))
            .build());
  }

  public String name() {
    return name;
  }

  /** Its type; null if none is declared, or if it is not a tensor. */
  public @Nullable TensorType type() {
    return type;
  }

  UnknownFieldSet message() {
    return message;
  }

  @Override
  public String toString() {
    return name + ": " + type;
  }
}
