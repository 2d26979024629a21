package io.camhook.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * An ONNX model. Immutable and thread-safe; a changed model is a new object that shares the weights
 * with this one.
 *
 * <pre>{@code
 * OnnxModel model = OnnxModel.read(Path.of("model.onnx"));
 * OnnxModel ready = OpsetUpgrade.upgraded(model);
 * GradientModel gradient = GradientModel.of(ready, types, List.of("/layer4/Relu_output_0"), "logits");
 * byte[] bytes = gradient.model().toByteArray();   // for OrtEnvironment.createSession
 * }</pre>
 */
public final class OnnxModel {
  private static final int IR_VERSION = 1;
  private static final int GRAPH = 7;
  private static final int OPSET = 8;
  private static final int METADATA = 14;

  private final Graph graph;
  private final Message rest;
  private final Map<String, Long> opsets;

  private OnnxModel(Graph graph, Message rest) throws OnnxException {
    this.graph = graph;
    this.rest = rest;
    opsets = new LinkedHashMap<>();
    for (ByteString bytes : rest.bytes(OPSET)) {
      Message opset = Message.parse(bytes, "the operator sets");
      String domain = opset.text(1);
      opsets.put(domain.equals("ai.onnx") ? "" : domain, opset.number(2, 0));
    }
  }

  /**
   * Reads a model.
   *
   * @throws OnnxException if the file is not an ONNX model, or is larger than protobuf allows
   */
  public static OnnxModel read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new OnnxException(file + " is a directory; an .onnx file was expected");
    }
    long size = Files.size(file);
    if (size > Integer.MAX_VALUE - 16) {
      throw new OnnxException(
          file.getFileName()
              + " has "
              + size
              + " bytes; a protobuf has at most 2 GB: keep the weights as external data");
    }
    return wrap(ByteString.EMPTY.concat(UnsafeByteOperations.unsafeWrap(Files.readAllBytes(file))));
  }

  /**
   * Reads a model from memory. The array must not change afterwards, because weights are slices of
   * it.
   *
   * @throws OnnxException if the bytes are not an ONNX model
   */
  public static OnnxModel parse(byte[] bytes) throws OnnxException {
    return wrap(UnsafeByteOperations.unsafeWrap(bytes));
  }

  /** The same for a buffer, between its position and its limit. */
  public static OnnxModel parse(ByteBuffer bytes) throws OnnxException {
    return wrap(UnsafeByteOperations.unsafeWrap(bytes.slice()));
  }

  /** A model with the given graph and version of ONNX's own operators. */
  public static OnnxModel of(Graph graph, int opset) {
    return of(graph, new Message(UnknownFieldSet.getDefaultInstance())).withOpset(opset);
  }

  private static OnnxModel wrap(ByteString bytes) throws OnnxException {
    if (bytes.size() > 8 && bytes.substring(4, 8).toStringUtf8().equals("ORTM")) {
      throw new OnnxException(
          "the file has onnxruntime's own format (.ort); take the .onnx file that it was made of");
    }
    if (bytes.isEmpty()) {
      throw new OnnxException("the file is empty; an ONNX model was expected");
    }
    try {
      Message message = Message.parse(bytes, "the model");
      if (!message.has(GRAPH) || message.bytes(GRAPH).isEmpty()) {
        throw new OnnxException("the file is not an ONNX model: it has no graph");
      }
      Graph graph = Graph.parse(message.message(GRAPH), 0);
      OnnxModel model = new OnnxModel(graph, new Message(message.without(GRAPH)));
      model.check();
      return model;
    } catch (RuntimeException | StackOverflowError e) {
      // Malicious or damaged bytes reach code that trusts its input.
      throw new OnnxException("the file is not an ONNX model, or is damaged: " + e, e);
    }
  }

  /**
   * Checks that nodes come after the nodes that they depend on, and that no value is defined twice.
   */
  private void check() throws OnnxException {
    if (graph.nodes().isEmpty()) {
      throw new OnnxException(
          "the file is not an ONNX model, or an empty one: it has no operators");
    }
    if (graph.outputs().isEmpty()) {
      throw new OnnxException("the graph is broken: it has no outputs");
    }
    Set<String> made = new HashSet<>();
    graph.inputs().forEach(input -> made.add(input.name()));
    graph.initializers().forEach(tensor -> made.add(tensor.name()));
    for (Node node : graph.nodes()) {
      for (String read : node.reads()) {
        if (!made.contains(read)) {
          throw new OnnxException(
              "the graph is broken: " + node.label() + " reads " + read + ", which nothing made");
        }
      }
      for (String output : node.outputs()) {
        if (!output.isEmpty() && !made.add(output)) {
          throw new OnnxException("the graph is broken: " + output + " is made twice");
        }
      }
    }
    for (ValueInfo output : graph.outputs()) {
      if (!made.contains(output.name())) {
        throw new OnnxException("the graph is broken: nothing makes its output " + output.name());
      }
    }
  }

  public Graph graph() {
    return graph;
  }

  /** The version of ONNX's own operators. */
  public int opset() {
    return opsets.getOrDefault("", 0L).intValue();
  }

  /** Versions of operators by domain; ONNX's own is the empty name. */
  public Map<String, Long> opsets() {
    return Map.copyOf(opsets);
  }

  /** The exporter, such as {@code pytorch 2.7.1}; empty if the file does not name it. */
  public String producer() {
    return (rest.text(2) + " " + rest.text(3)).trim();
  }

  /** The metadata that the model's author added. */
  public Map<String, String> metadata() throws OnnxException {
    return rest.entries(METADATA, "the model's metadata");
  }

  /** Files beside the model that hold weights, by the names in the file. */
  public Set<String> externalFiles() throws OnnxException {
    Set<String> files = new LinkedHashSet<>();
    for (TensorData tensor : graph.initializers()) {
      if (tensor.isExternal()) {
        files.add(tensor.external().getOrDefault("location", ""));
      }
    }
    return files;
  }

  /** The same model with another graph. */
  public OnnxModel withGraph(Graph other) {
    return of(other, rest);
  }

  /** The same model with one more metadata entry. */
  public OnnxModel withMetadata(String key, String value) {
    UnknownFieldSet entry =
        UnknownFieldSet.newBuilder()
            .addField(1, Message.text(key))
            .addField(2, Message.text(value))
            .build();
    UnknownFieldSet.Builder fields = rest.fields().toBuilder();
    fields.mergeField(METADATA, Message.bytes(entry.toByteString()));
    return of(graph, new Message(fields.build()));
  }

  /** The same model with another version of ONNX's own operators. */
  public OnnxModel withOpset(int version) {
    UnknownFieldSet.Field.Builder all = UnknownFieldSet.Field.newBuilder();
    Map<String, Long> changed = new LinkedHashMap<>(opsets);
    changed.put("", (long) version);
    changed.forEach(
        (domain, number) ->
            all.addLengthDelimited(
                UnknownFieldSet.newBuilder()
                    .addField(1, Message.text(domain))
                    .addField(2, Message.number(number))
                    .build()
                    .toByteString()));
    UnknownFieldSet.Builder fields = rest.fields().toBuilder();
    fields.clearField(OPSET).addField(OPSET, all.build());
    // Version 4 of the format introduced constants that are not inputs; version 8 belongs to
    // operator set 17.
    long ir = Math.max(8, rest.number(IR_VERSION, 0));
    fields.clearField(IR_VERSION).addField(IR_VERSION, Message.number(ir));
    return of(graph, new Message(fields.build()));
  }

  private static OnnxModel of(Graph graph, Message rest) {
    try {
      return new OnnxModel(graph, rest);
    } catch (OnnxException e) {
      throw new IllegalStateException("parsed before", e);
    }
  }

  /**
   * The model as the bytes of a file. Weights are copied here, once.
   *
   * @throws OnnxException if the file would be larger than 2 GB
   */
  public byte[] toByteArray() throws OnnxException {
    long inner = graph.size();
    long size =
        inner
            + rest.fields().getSerializedSize()
            + CodedOutputStream.computeTagSize(GRAPH)
            + CodedOutputStream.computeUInt64SizeNoTag(inner);
    if (size > Integer.MAX_VALUE - 16) {
      throw new OnnxException(
          "the model has "
              + size
              + " bytes; a protobuf has at most 2 GB: keep the weights as external data");
    }
    byte[] bytes = new byte[(int) size];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      rest.fields().writeTo(out);
      out.writeTag(GRAPH, 2);
      out.writeUInt64NoTag(inner);
      graph.writeTo(out);
      out.checkNoSpaceLeft();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory", e);
    }
    return bytes;
  }
}
