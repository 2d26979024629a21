package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code NodeProto}: one operator, with its input and output values. */
public final class Node {
  private static final int ATTRIBUTE = 5;

  private final String name;
  private final String operator;
  private final String domain;
  private final List<String> inputs;
  private final List<String> outputs;
  private final Map<String, Attribute> attributes;
  private final List<Graph> graphs;
  private final Message message;

  private Node(Message message, List<Attribute> attributes, int depth) throws OnnxException {
    this.message = message;
    name = message.text(3);
    operator = message.text(4);
    String declared = message.text(7);
    domain = declared.equals("ai.onnx") ? "" : declared;
    inputs = message.texts(1);
    outputs = message.texts(2);
    Map<String, Attribute> byName = new LinkedHashMap<>();
    List<Graph> inner = new ArrayList<>();
    for (Attribute attribute : attributes) {
      byName.put(attribute.name(), attribute);
      inner.addAll(attribute.graphs(depth + 1));
    }
    this.attributes = byName;
    graphs = List.copyOf(inner);
  }

  static Node parse(ByteString bytes, int depth) throws OnnxException {
    Message message = Message.parse(bytes, "a node");
    List<Attribute> attributes = new ArrayList<>();
    for (ByteString attribute : message.bytes(ATTRIBUTE)) {
      attributes.add(Attribute.parse(attribute));
    }
    return new Node(message, attributes, depth);
  }

  /** A node of a standard operator. */
  public static Node of(
      String operator,
      String name,
      List<String> inputs,
      List<String> outputs,
      Collection<Attribute> attributes) {
    UnknownFieldSet fields =
        UnknownFieldSet.newBuilder()
            .addField(1, Message.texts(inputs))
            .addField(2, Message.texts(outputs))
            .addField(3, Message.text(name))
            .addField(4, Message.text(operator))
            .build();
    return of(fields, attributes);
  }

  private static Node of(UnknownFieldSet fields, Collection<Attribute> attributes) {
    UnknownFieldSet.Field.Builder all = UnknownFieldSet.Field.newBuilder();
    attributes.forEach(attribute -> all.addLengthDelimited(attribute.message().toByteString()));
    UnknownFieldSet.Builder whole = fields.toBuilder().clearField(ATTRIBUTE);
    if (!attributes.isEmpty()) {
      whole.addField(ATTRIBUTE, all.build());
    }
    try {
      return new Node(new Message(whole.build()), List.copyOf(attributes), 0);
    } catch (OnnxException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** The same node with another operator, inputs and attributes; everything else is kept. */
  public Node with(String otherOperator, List<String> otherInputs, Collection<Attribute> others) {
    return of(
        message.fields().toBuilder()
            .clearField(1)
            .addField(1, Message.texts(otherInputs))
            .clearField(4)
            .addField(4, Message.text(otherOperator))
            .build(),
        others);
  }

  /** The same node with other output names. */
  public Node withOutputs(List<String> others) {
    return of(
        message.fields().toBuilder().clearField(2).addField(2, Message.texts(others)).build(),
        attributes.values());
  }

  public String name() {
    return name;
  }

  public String operator() {
    return operator;
  }

  /** The operator's domain; empty for ONNX's own. */
  public String domain() {
    return domain;
  }

  public boolean isStandard() {
    return domain.isEmpty();
  }

  public boolean is(String standardOperator) {
    return isStandard() && operator.equals(standardOperator);
  }

  /** The operator, with its domain if that is not ONNX's own. */
  public String qualifiedOperator() {
    return isStandard() ? operator : domain + "::" + operator;
  }

  /** The values that it reads; an empty name is an input that is left out. */
  public List<String> inputs() {
    return inputs;
  }

  public List<String> outputs() {
    return outputs;
  }

  /** An input; null if it is left out. */
  public @Nullable String input(int index) {
    return index < inputs.size() && !inputs.get(index).isEmpty() ? inputs.get(index) : null;
  }

  public String output() {
    return outputs.isEmpty() ? "" : outputs.get(0);
  }

  public Collection<Attribute> attributes() {
    return attributes.values();
  }

  public @Nullable Attribute attribute(String attribute) {
    return attributes.get(attribute);
  }

  public boolean has(String attribute) {
    return attributes.containsKey(attribute);
  }

  public long number(String attribute, long otherwise) {
    Attribute found = attributes.get(attribute);
    return found == null ? otherwise : found.number();
  }

  public double real(String attribute, double otherwise) {
    Attribute found = attributes.get(attribute);
    return found == null ? otherwise : found.real();
  }

  public String text(String attribute, String otherwise) {
    Attribute found = attributes.get(attribute);
    return found == null ? otherwise : found.text();
  }

  /** An attribute's integers; null if there is none. */
  public long @Nullable [] numbers(String attribute) throws OnnxException {
    Attribute found = attributes.get(attribute);
    return found == null ? null : found.numbers();
  }

  /** Notes of the exporter. */
  public Map<String, String> metadata() throws OnnxException {
    return message.has(9) ? message.entries(9, "metadata of node " + name) : Map.of();
  }

  /** The graphs of control flow. */
  public List<Graph> graphs() {
    return graphs;
  }

  /** All values that it reads, also those that the graphs of control flow take from outside. */
  public Set<String> reads() {
    Set<String> reads = new LinkedHashSet<>(inputs);
    graphs.forEach(graph -> reads.addAll(graph.outerReads()));
    reads.remove("");
    return reads;
  }

  UnknownFieldSet message() {
    return message.fields();
  }

  /** How messages name it. */
  public String label() {
    return qualifiedOperator() + " (" + (name.isEmpty() ? output() : name) + ")";
  }

  @Override
  public String toString() {
    return name + ": " + operator + inputs + " -> " + outputs;
  }
}
