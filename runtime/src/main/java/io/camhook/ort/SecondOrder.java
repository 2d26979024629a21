package io.camhook.ort;

import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The product of a Hessian with a vector: a backward pass consists of ONNX operators, so it can be
 * differentiated again (Pearlmutter, 1994): {@code ∂⟨g, v⟩/∂A}.
 */
final class SecondOrder {
  /** Input: the seed of the first backward pass. */
  static final String FIRST_SEED = "camhook_first_seed";

  private static final String PRODUCT = "camhook_product";

  private SecondOrder() {}

  static GradientModel of(OrtModel model, String value, String score, String vector)
      throws OnnxException {
    GradientModel first = model.gradient(List.of(value), score);
    String gradient =
        first
            .gradientOf(value)
            .orElseThrow(
                () -> new OnnxException(first.refusals().getOrDefault(value, "no gradient")));
    Graph graph = first.model().graph();
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      // The second pass has its own seed.
      List<String> inputs =
          node.inputs().stream()
              .map(input -> input.equals(GradientModel.SEED) ? FIRST_SEED : input)
              .toList();
      nodes.add(
          inputs.equals(node.inputs())
              ? node
              : node.with(node.operator(), inputs, node.attributes()));
    }
    String weighted = PRODUCT + "/weighted";
    nodes.add(Node.of("Mul", weighted, List.of(gradient, vector), List.of(weighted), List.of()));
    nodes.add(
        Node.of(
            "ReduceSum",
            PRODUCT,
            List.of(weighted),
            List.of(PRODUCT),
            List.of(Attribute.of("keepdims", 0))));
    List<ValueInfo> inputs = new ArrayList<>();
    for (ValueInfo input : graph.inputs()) {
      TensorType type = input.type();
      boolean seed = input.name().equals(GradientModel.SEED);
      inputs.add(
          !seed
              ? input
              : type == null ? ValueInfo.named(FIRST_SEED) : ValueInfo.of(FIRST_SEED, type));
    }
    TensorType tap = model.types().getOrDefault(value, new TensorType(ElementType.FLOAT, null));
    inputs.add(ValueInfo.of(vector, tap));
    OnnxModel whole =
        first
            .model()
            .withGraph(
                graph.with(nodes, graph.initializers(), inputs, List.of(ValueInfo.named(PRODUCT))));
    OrtModel described = model.of(whole);
    Map<String, TensorType> types = new HashMap<>(described.types());
    model.types().forEach((name, type) -> types.merge(name, type, SecondOrder::better));
    return GradientModel.of(whole, types)
        .taps(List.of(value))
        .score(PRODUCT)
        .prefix("camhook2/")
        .build();
  }

  private static TensorType better(TensorType one, TensorType other) {
    return one.dimensions() != null ? one : other;
  }
}
