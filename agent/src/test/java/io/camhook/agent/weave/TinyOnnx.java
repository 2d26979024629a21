package io.camhook.agent.weave;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Small ONNX models, written field by field (onnx.proto of ONNX 1.15), whose gradients can be
 * computed by hand.
 */
public final class TinyOnnx {
  private static final int FLOAT = 1;

  private final List<ByteString> nodes = new ArrayList<>();
  private final List<ByteString> weights = new ArrayList<>();
  private final List<ByteString> inputs = new ArrayList<>();
  private final List<ByteString> outputs = new ArrayList<>();

  /**
   * {@code x [N,2,2,2] → Relu "act" → GlobalAveragePool → Flatten → Gemm → logits [N,3]}, with the
   * weight {@link #WEIGHT}. So ∂logits[c]/∂act[ch] = WEIGHT[c][ch] / 4 at each of the four places.
   */
  public static byte[] classifier() {
    return new TinyOnnx()
        .input("x", "N", 2, 2, 2)
        .weight("fc.weight", WEIGHT, 3, 2)
        .node("Relu", "act", "x")
        .node("GlobalAveragePool", "pooled", "act")
        .node("Flatten", "flat", "pooled")
        .node("Transpose", "transposed", "fc.weight")
        .node("MatMul", "logits", "flat", "transposed")
        .output("logits", "N", 3)
        .bytes("tiny");
  }

  static final float[] WEIGHT = {1, 2, 3, -4, 5, 6};

  /** The same with a condition between layer and score. */
  public static byte[] conditional() {
    TinyOnnx then = new TinyOnnx().node("Identity", "same", "act").output("same");
    TinyOnnx otherwise = new TinyOnnx().node("Neg", "opposite", "act").output("opposite");
    return new TinyOnnx()
        .input("x", "N", 2, 2, 2)
        .weight("fc.weight", WEIGHT, 3, 2)
        .node("Relu", "act", "x")
        .node("ReduceMax", "largest", "act")
        .node("Flatten", "one", "largest")
        .node("Cast", "positive", List.of("one"), attribute("to", 9))
        .node("Squeeze", "flag", "positive")
        .node(
            "If",
            "chosen",
            List.of("flag"),
            graph("then_branch", then),
            graph("else_branch", otherwise))
        .node("GlobalAveragePool", "pooled", "chosen")
        .node("Flatten", "flat", "pooled")
        .node("Transpose", "transposed", "fc.weight")
        .node("MatMul", "logits", "flat", "transposed")
        .output("logits", "N", 3)
        .bytes("conditional");
  }

  private TinyOnnx input(String name, Object... dimensions) {
    inputs.add(value(name, dimensions));
    return this;
  }

  private TinyOnnx output(String name, Object... dimensions) {
    outputs.add(dimensions.length == 0 ? message(field(1, name)) : value(name, dimensions));
    return this;
  }

  private TinyOnnx weight(String name, float[] values, long... dimensions) {
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    UnknownFieldSet.Builder tensor = UnknownFieldSet.newBuilder();
    for (long dimension : dimensions) {
      tensor.mergeField(1, UnknownFieldSet.Field.newBuilder().addVarint(dimension).build());
    }
    tensor.mergeField(2, UnknownFieldSet.Field.newBuilder().addVarint(FLOAT).build());
    tensor.mergeField(8, text(name));
    tensor.mergeField(9, bytesField(ByteString.copyFrom(raw)));
    weights.add(tensor.build().toByteString());
    return this;
  }

  private TinyOnnx node(String operator, String output, String... inputs) {
    return node(operator, output, Arrays.asList(inputs));
  }

  private TinyOnnx node(
      String operator, String output, List<String> inputs, ByteString... attributes) {
    UnknownFieldSet.Builder node = UnknownFieldSet.newBuilder();
    inputs.forEach(input -> node.mergeField(1, text(input)));
    node.mergeField(2, text(output)).mergeField(3, text(operator + "_" + output));
    node.mergeField(4, text(operator));
    for (ByteString attribute : attributes) {
      node.mergeField(5, bytesField(attribute));
    }
    nodes.add(node.build().toByteString());
    return this;
  }

  private static ByteString attribute(String name, long value) {
    return UnknownFieldSet.newBuilder()
        .mergeField(1, text(name))
        .mergeField(3, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
        .mergeField(20, UnknownFieldSet.Field.newBuilder().addVarint(2).build())
        .build()
        .toByteString();
  }

  private static ByteString graph(String name, TinyOnnx graph) {
    return UnknownFieldSet.newBuilder()
        .mergeField(1, text(name))
        .mergeField(6, bytesField(graph.graph(name)))
        .mergeField(20, UnknownFieldSet.Field.newBuilder().addVarint(5).build())
        .build()
        .toByteString();
  }

  private ByteString graph(String name) {
    UnknownFieldSet.Builder graph = UnknownFieldSet.newBuilder();
    nodes.forEach(node -> graph.mergeField(1, bytesField(node)));
    graph.mergeField(2, text(name));
    weights.forEach(weight -> graph.mergeField(5, bytesField(weight)));
    inputs.forEach(input -> graph.mergeField(11, bytesField(input)));
    outputs.forEach(output -> graph.mergeField(12, bytesField(output)));
    return graph.build().toByteString();
  }

  private byte[] bytes(String name) {
    ByteString opset =
        UnknownFieldSet.newBuilder()
            .mergeField(2, UnknownFieldSet.Field.newBuilder().addVarint(17).build())
            .build()
            .toByteString();
    return UnknownFieldSet.newBuilder()
        .mergeField(1, UnknownFieldSet.Field.newBuilder().addVarint(8).build())
        .mergeField(7, bytesField(graph(name)))
        .mergeField(8, bytesField(opset))
        .build()
        .toByteString()
        .toByteArray();
  }

  private static ByteString value(String name, Object... dimensions) {
    UnknownFieldSet.Builder shape = UnknownFieldSet.newBuilder();
    for (Object dimension : dimensions) {
      ByteString size =
          dimension instanceof Integer number
              ? UnknownFieldSet.newBuilder()
                  .mergeField(1, UnknownFieldSet.Field.newBuilder().addVarint(number).build())
                  .build()
                  .toByteString()
              : message(field(2, dimension.toString()));
      shape.mergeField(1, bytesField(size));
    }
    ByteString tensor =
        UnknownFieldSet.newBuilder()
            .mergeField(1, UnknownFieldSet.Field.newBuilder().addVarint(FLOAT).build())
            .mergeField(2, bytesField(shape.build().toByteString()))
            .build()
            .toByteString();
    ByteString type =
        UnknownFieldSet.newBuilder().mergeField(1, bytesField(tensor)).build().toByteString();
    return UnknownFieldSet.newBuilder()
        .mergeField(1, text(name))
        .mergeField(2, bytesField(type))
        .build()
        .toByteString();
  }

  private static UnknownFieldSet.Builder field(int number, String text) {
    return UnknownFieldSet.newBuilder().mergeField(number, text(text));
  }

  private static ByteString message(UnknownFieldSet.Builder fields) {
    return fields.build().toByteString();
  }

  private static UnknownFieldSet.Field text(String text) {
    return bytesField(ByteString.copyFromUtf8(text));
  }

  private static UnknownFieldSet.Field bytesField(ByteString bytes) {
    return UnknownFieldSet.Field.newBuilder().addLengthDelimited(bytes).build();
  }
}
