package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code AttributeProto}: one attribute of a node. */
public final class Attribute {
  private static final int TYPE = 20;
  private static final int MAX_DEPTH = 16;

  private final String name;
  private final Message message;

  private Attribute(String name, Message message) {
    this.name = name;
    this.message = message;
  }

  static Attribute parse(ByteString bytes) throws OnnxException {
    Message message = Message.parse(bytes, "an attribute");
    return new Attribute(message.text(1), message);
  }

  private static Attribute of(String name, int field, UnknownFieldSet.Field value, int type) {
    return new Attribute(
        name,
        new Message(
            UnknownFieldSet.newBuilder()
                .addField(1, Message.text(name))
                .addField(field, value)
                .addField(TYPE, Message.number(type))
                .build()));
  }

  public static Attribute of(String name, long value) {
    return of(name, 3, Message.number(value), 2);
  }

  public static Attribute of(String name, long[] values) {
    return of(name, 8, Message.numbers(values), 7);
  }

  public static Attribute of(String name, float value) {
    return of(
        name,
        2,
        UnknownFieldSet.Field.newBuilder().addFixed32(Float.floatToRawIntBits(value)).build(),
        1);
  }

  public static Attribute of(String name, String value) {
    return of(name, 4, Message.text(value), 3);
  }

  public static Attribute of(String name, TensorData value) {
    return of(name, 5, Message.bytes(value.message().toByteString()), 4);
  }

  public static Attribute of(String name, Graph value) {
    return of(name, 6, Message.bytes(value.toByteString()), 5);
  }

  public String name() {
    return name;
  }

  public long number() {
    return message.number(3, 0);
  }

  public float real() {
    return message.real(2);
  }

  public String text() {
    return message.text(4);
  }

  public long[] numbers() throws OnnxException {
    return message.numbers(8, "attribute " + name);
  }

  public float[] reals() throws OnnxException {
    return message.reals(7, "attribute " + name);
  }

  /** Its tensor, or null. */
  public @Nullable TensorData tensor() throws OnnxException {
    return message.has(5) ? TensorData.parse(message.message(5)) : null;
  }

  /** Its graph, or null. */
  public @Nullable Graph graph() throws OnnxException {
    return message.has(6) ? Graph.parse(message.message(6), 1) : null;
  }

  /** The graphs of control flow. */
  List<Graph> graphs(int depth) throws OnnxException {
    if (!message.has(6) && !message.has(11)) {
      return List.of();
    }
    if (depth > MAX_DEPTH) {
      throw new OnnxException("graphs within graphs, more than " + MAX_DEPTH + " deep");
    }
    List<Graph> graphs = new ArrayList<>();
    if (message.has(6)) {
      graphs.add(Graph.parse(message.message(6), depth));
    }
    for (ByteString graph : message.bytes(11)) {
      graphs.add(Graph.parse(graph, depth));
    }
    return graphs;
  }

  UnknownFieldSet message() {
    return message.fields();
  }
}
