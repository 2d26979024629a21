package io.camhook.benchmarks.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Writes a network of one input, node by node, with seeded weights (onnx.proto of ONNX 1.15). */
final class OnnxWriter {
  private static final int FLOAT = 1;
  private static final int OPSET = 17;
  private static final int IR = 8;
  private static final int INTS = 7;
  private static final int INT = 2;

  private final Random random = new Random(1);
  private final UnknownFieldSet.Builder graph = UnknownFieldSet.newBuilder();
  private int count;

  /** An operator; its name and value are {@code path} and the operator's. */
  String node(String operator, String path, List<String> inputs, UnknownFieldSet... attributes) {
    String output = "/" + path.replace('.', '/') + "/" + operator + "_output_0";
    UnknownFieldSet.Builder node = UnknownFieldSet.newBuilder();
    inputs.forEach(input -> node.mergeField(1, text(input)));
    node.mergeField(2, text(output));
    node.mergeField(3, text("/" + path.replace('.', '/') + "/" + operator));
    node.mergeField(4, text(operator));
    for (UnknownFieldSet attribute : attributes) {
      node.mergeField(5, message(attribute));
    }
    graph.mergeField(1, message(node.build()));
    return output;
  }

  /** A convolution with a bias, as exporters leave it after folding BatchNorm. */
  String convolution(
      String path, String input, int in, int out, int kernel, int stride, int groups) {
    int fan = in / groups * kernel * kernel;
    String weight =
        weight(path + ".weight", Math.sqrt(2.0 / fan), out, in / groups, kernel, kernel);
    int pad = kernel / 2;
    return node(
        "Conv",
        path,
        List.of(input, weight, weight(path + ".bias", 0.01, out)),
        integers("strides", stride, stride),
        integers("pads", pad, pad, pad, pad),
        integer("group", groups));
  }

  /** A fully connected layer. */
  String linear(String path, String input, int in, int out) {
    String weight = weight(path + ".weight", Math.sqrt(1.0 / in), out, in);
    return node(
        "Gemm",
        path,
        List.of(input, weight, weight(path + ".bias", 0.01, out)),
        integer("transB", 1));
  }

  /** Normally distributed numbers. */
  String weight(String name, double deviation, long... dimensions) {
    long elements = 1;
    UnknownFieldSet.Builder tensor = UnknownFieldSet.newBuilder();
    for (long dimension : dimensions) {
      elements *= dimension;
      tensor.mergeField(1, number(dimension));
    }
    ByteBuffer raw = ByteBuffer.allocate((int) (4 * elements)).order(ByteOrder.LITTLE_ENDIAN);
    while (raw.hasRemaining()) {
      raw.putFloat((float) (deviation * random.nextGaussian()));
    }
    return constant(name, tensor, FLOAT, raw.flip());
  }

  /** One number, a scalar. */
  String scalar(float value) {
    ByteBuffer raw = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).flip();
    return constant("constant" + count++, UnknownFieldSet.newBuilder(), FLOAT, raw);
  }

  private String constant(String name, UnknownFieldSet.Builder tensor, int type, ByteBuffer raw) {
    tensor.mergeField(2, number(type)).mergeField(8, text(name));
    tensor.mergeField(9, bytes(ByteString.copyFrom(raw)));
    graph.mergeField(5, message(tensor.build()));
    return name;
  }

  /** The file: {@code input [N,3,224,224]}, {@code output [N,classes]}. */
  byte[] model(String name, String input, String output, int classes) {
    graph.mergeField(2, text(name));
    graph.mergeField(11, message(value(input, 3, 224, 224)));
    graph.mergeField(12, message(value(output, classes)));
    UnknownFieldSet opset = UnknownFieldSet.newBuilder().mergeField(2, number(OPSET)).build();
    return UnknownFieldSet.newBuilder()
        .mergeField(1, number(IR))
        .mergeField(7, message(graph.build()))
        .mergeField(8, message(opset))
        .build()
        .toByteArray();
  }

  private static UnknownFieldSet value(String name, int... sizes) {
    UnknownFieldSet.Builder shape = UnknownFieldSet.newBuilder();
    shape.mergeField(1, message(UnknownFieldSet.newBuilder().mergeField(2, text("N")).build()));
    for (int size : sizes) {
      shape.mergeField(
          1, message(UnknownFieldSet.newBuilder().mergeField(1, number(size)).build()));
    }
    UnknownFieldSet tensor =
        UnknownFieldSet.newBuilder()
            .mergeField(1, number(FLOAT))
            .mergeField(2, message(shape.build()))
            .build();
    UnknownFieldSet type = UnknownFieldSet.newBuilder().mergeField(1, message(tensor)).build();
    return UnknownFieldSet.newBuilder()
        .mergeField(1, text(name))
        .mergeField(2, message(type))
        .build();
  }

  static UnknownFieldSet integer(String name, long value) {
    return UnknownFieldSet.newBuilder()
        .mergeField(1, text(name))
        .mergeField(3, number(value))
        .mergeField(20, number(INT))
        .build();
  }

  static UnknownFieldSet integers(String name, long... values) {
    UnknownFieldSet.Builder attribute = UnknownFieldSet.newBuilder().mergeField(1, text(name));
    List<Long> all = new ArrayList<>();
    for (long value : values) {
      all.add(value);
    }
    all.forEach(value -> attribute.mergeField(8, number(value)));
    return attribute.mergeField(20, number(INTS)).build();
  }

  private static Field number(long value) {
    return Field.newBuilder().addVarint(value).build();
  }

  private static Field text(String text) {
    return bytes(ByteString.copyFromUtf8(text));
  }

  private static Field message(UnknownFieldSet message) {
    return bytes(message.toByteString());
  }

  private static Field bytes(ByteString bytes) {
    return Field.newBuilder().addLengthDelimited(bytes).build();
  }
}
