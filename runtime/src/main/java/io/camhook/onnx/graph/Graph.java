package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** {@code GraphProto}: nodes in an order in which they can run, constants, inputs and outputs. */
public final class Graph {
  private static final int NODE = 1;
  private static final int INITIALIZER = 5;
  private static final int INPUT = 11;
  private static final int OUTPUT = 12;
  private static final int VALUE_INFO = 13;

  private final List<Node> nodes;
  private final List<TensorData> initializers;
  private final List<ValueInfo> inputs;
  private final List<ValueInfo> outputs;
  private final List<ValueInfo> values;
  private final UnknownFieldSet rest;

  private Graph(
      List<Node> nodes,
      List<TensorData> initializers,
      List<ValueInfo> inputs,
      List<ValueInfo> outputs,
      List<ValueInfo> values,
      UnknownFieldSet rest) {
    this.nodes = List.copyOf(nodes);
    this.initializers = List.copyOf(initializers);
    this.inputs = List.copyOf(inputs);
    this.outputs = List.copyOf(outputs);
    this.values = List.copyOf(values);
    this.rest = rest;
  }

  /** Makes a graph from its parts. */
  public static Graph of(
      List<Node> nodes,
      List<TensorData> initializers,
      List<ValueInfo> inputs,
      List<ValueInfo> outputs) {
    UnknownFieldSet name = UnknownFieldSet.newBuilder().addField(2, Message.text("graph")).build();
    return new Graph(nodes, initializers, inputs, outputs, List.of(), name);
  }

  /** The same graph with a name, by which configurations find it. */
  public Graph named(String name) {
    UnknownFieldSet.Builder other = rest.toBuilder().clearField(2);
    other.addField(2, Message.text(name));
    return new Graph(nodes, initializers, inputs, outputs, values, other.build());
  }

  static Graph parse(ByteString bytes, int depth) throws OnnxException {
    Message message = Message.parse(bytes, "the graph");
    List<Node> nodes = new ArrayList<>();
    for (ByteString node : message.bytes(NODE)) {
      nodes.add(Node.parse(node, depth));
    }
    List<TensorData> initializers = new ArrayList<>();
    for (ByteString tensor : message.bytes(INITIALIZER)) {
      initializers.add(TensorData.parse(tensor));
    }
    return new Graph(
        nodes,
        initializers,
        values(message, INPUT),
        values(message, OUTPUT),
        values(message, VALUE_INFO),
        new Message(message.fields()).without(NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO));
  }

  private static List<ValueInfo> values(Message message, int field) throws OnnxException {
    List<ValueInfo> values = new ArrayList<>();
    for (ByteString value : message.bytes(field)) {
      values.add(ValueInfo.parse(value));
    }
    return values;
  }

  /** The same graph with other parts; the declared types of inner values are left out. */
  public Graph with(
      List<Node> otherNodes,
      List<TensorData> otherInitializers,
      List<ValueInfo> otherInputs,
      List<ValueInfo> otherOutputs) {
    return new Graph(otherNodes, otherInitializers, otherInputs, otherOutputs, List.of(), rest);
  }

  public List<Node> nodes() {
    return nodes;
  }

  public List<TensorData> initializers() {
    return initializers;
  }

  /** The graph's inputs; files of IR version 3 list their constants too. */
  public List<ValueInfo> inputs() {
    return inputs;
  }

  /** The inputs that a caller provides. */
  public List<ValueInfo> realInputs() {
    Set<String> constants = new HashSet<>();
    initializers.forEach(tensor -> constants.add(tensor.name()));
    return inputs.stream().filter(input -> !constants.contains(input.name())).toList();
  }

  public List<ValueInfo> outputs() {
    return outputs;
  }

  /** Declared types of inner values. */
  public List<ValueInfo> values() {
    return values;
  }

  /**
   * The values that it reads but does not compute: a graph of control flow sees those around it.
   */
  public Set<String> outerReads() {
    Set<String> made = new HashSet<>();
    inputs.forEach(input -> made.add(input.name()));
    initializers.forEach(tensor -> made.add(tensor.name()));
    Set<String> reads = new LinkedHashSet<>();
    for (Node node : nodes) {
      for (String read : node.reads()) {
        if (!made.contains(read)) {
          reads.add(read);
        }
      }
      made.addAll(node.outputs());
    }
    for (ValueInfo output : outputs) {
      if (!made.contains(output.name())) {
        reads.add(output.name());
      }
    }
    return reads;
  }

  ByteString toByteString() {
    ByteString.Output out = ByteString.newOutput();
    try {
      CodedOutputStream coded = CodedOutputStream.newInstance(out);
      writeTo(coded);
      coded.flush();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory", e);
    }
    return out.toByteString();
  }

  long size() {
    long size = rest.getSerializedSize();
    for (Node node : nodes) {
      size += sized(NODE, node.message());
    }
    for (TensorData tensor : initializers) {
      size += sized(INITIALIZER, tensor.message());
    }
    for (ValueInfo value : inputs) {
      size += sized(INPUT, value.message());
    }
    for (ValueInfo value : outputs) {
      size += sized(OUTPUT, value.message());
    }
    for (ValueInfo value : values) {
      size += sized(VALUE_INFO, value.message());
    }
    return size;
  }

  private static long sized(int field, UnknownFieldSet message) {
    return CodedOutputStream.computeTagSize(field)
        + CodedOutputStream.computeUInt32SizeNoTag(message.getSerializedSize())
        + (long) message.getSerializedSize();
  }

  void writeTo(CodedOutputStream out) throws IOException {
    rest.writeTo(out);
    for (Node node : nodes) {
      out.writeMessage(NODE, node.message());
    }
    for (TensorData tensor : initializers) {
      out.writeMessage(INITIALIZER, tensor.message());
    }
    for (ValueInfo value : inputs) {
      out.writeMessage(INPUT, value.message());
    }
    for (ValueInfo value : outputs) {
      out.writeMessage(OUTPUT, value.message());
    }
    for (ValueInfo value : values) {
      out.writeMessage(VALUE_INFO, value.message());
    }
  }
}
