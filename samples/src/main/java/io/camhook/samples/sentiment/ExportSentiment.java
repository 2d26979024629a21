package io.camhook.samples.sentiment;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.List;

/** A trained {@link SentimentNet} as an {@code .onnx} file, with the names of its modules. */
final class ExportSentiment {
  private static final int OPSET = 17;

  private final List<Node> nodes = new ArrayList<>();
  private final List<TensorData> weights = new ArrayList<>();

  private ExportSentiment() {}

  static byte[] export(SentimentNet net) throws OnnxException {
    return new ExportSentiment().model(net).toByteArray();
  }

  private OnnxModel model(SentimentNet net) {
    String x =
        node("embeddings", "Gather", weight("embeddings.weight", net.embeddings), "input_ids");
    String mask = node("mask", "Cast", List.of("attention_mask"), Attribute.of("to", 1L));
    String q = linear("attention.query", net.query, x);
    String k = linear("attention.key", net.key, x);
    String v = linear("attention.value", net.value, x);
    String turned =
        node("attention", "Transpose", List.of(k), Attribute.of("perm", new long[] {0, 2, 1}));
    String scores = node("attention", "MatMul", q, turned);
    String scaled =
        node("attention", "Mul", scores, number("scale", 1 / Math.sqrt(SentimentNet.WIDTH)));
    String hidden = node("mask", "Sub", number("one", 1), mask);
    String bias = node("mask", "Mul", hidden, number("hidden", -1e4));
    String across = node("mask", "Unsqueeze", bias, axes("across", 1));
    String masked = node("attention", "Add", scaled, across);
    String attention = node("attention", "Softmax", List.of(masked), Attribute.of("axis", -1L));
    String mixed = node("attention.mixed", "MatMul", attention, v);
    String residual = node("attention.residual", "Add", x, mixed);
    Block norm = net.norm;
    String h =
        node(
            "norm",
            "LayerNormalization",
            List.of(
                residual,
                weight("norm.weight", norm.getParameters().get("gamma")),
                weight("norm.bias", norm.getParameters().get("beta"))),
            Attribute.of("axis", -1L),
            Attribute.of("epsilon", 1e-5f));
    String along = node("pool", "Unsqueeze", mask, axes("along", 2));
    String kept = node("pool.kept", "Mul", h, along);
    String sum = sum("pool.sum", kept, 0);
    String count = sum("pool.count", mask, 1);
    String mean = node("pool", "Div", sum, count);
    Block classifier = net.classifier;
    nodes.add(
        Node.of(
            "Gemm",
            "/classifier/Gemm",
            List.of(
                mean,
                weight("classifier.weight", classifier.getParameters().get("weight")),
                weight("classifier.bias", classifier.getParameters().get("bias"))),
            List.of("logits"),
            List.of(Attribute.of("transB", 1L))));
    Dimension n = new Dimension(-1, "N");
    TensorType ids = new TensorType(ElementType.INT64, List.of(n, new Dimension(-1, "T")));
    TensorType logits = new TensorType(ElementType.FLOAT, List.of(n, Dimension.of(2)));
    return OnnxModel.of(
        Graph.of(
            nodes,
            weights,
            List.of(ValueInfo.of("input_ids", ids), ValueInfo.of("attention_mask", ids)),
            List.of(ValueInfo.of("logits", logits))),
        OPSET);
  }

  /** PyTorch's exporter names a node after the path of its module. */
  private String node(String path, String operator, List<String> inputs, Attribute... attributes) {
    String name = "/" + path.replace('.', '/') + "/" + operator;
    String value = name + "_output_0";
    nodes.add(Node.of(operator, name, inputs, List.of(value), List.of(attributes)));
    return value;
  }

  private String node(String path, String operator, String... inputs) {
    return node(path, operator, List.of(inputs));
  }

  /** {@code x W + b}; DJL's weight is the transpose of ONNX's. */
  private String linear(String path, Block block, String x) {
    NDArray weight = block.getParameters().get("weight").getArray();
    String columns = weight(path + ".weight", weight.transpose());
    String product = node(path, "MatMul", x, columns);
    return node(path, "Add", product, weight(path + ".bias", block.getParameters().get("bias")));
  }

  private String sum(String path, String value, long keep) {
    return node(path, "ReduceSum", List.of(value, axes(path, 1)), Attribute.of("keepdims", keep));
  }

  private String weight(String name, Parameter parameter) {
    return weight(name, parameter.getArray());
  }

  private String weight(String name, NDArray array) {
    float[] values = array.toFloatArray();
    double[] reals = new double[values.length];
    for (int i = 0; i < reals.length; i++) {
      reals[i] = values[i];
    }
    weights.add(TensorData.of(name, ElementType.FLOAT, array.getShape().getShape(), reals));
    return name;
  }

  private String number(String name, double value) {
    weights.add(TensorData.of(name, ElementType.FLOAT, new long[0], value));
    return name;
  }

  private String axes(String name, long axis) {
    String constant = name + ".axes";
    weights.add(TensorData.of(constant, ElementType.INT64, new long[] {1}, axis));
    return constant;
  }
}
