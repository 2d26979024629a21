package io.camhook.ort;

import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The linear layer that ends a model after the mean over the positions of a layer, whose rows weigh
 * the channels in CAM (Zhou et al., 2016).
 *
 * @param weight {@code [classes, channels]}, row by row
 */
record GemmHead(float[] weight, int channels) {
  private static final Set<String> RESHAPES = Set.of("Flatten", "Reshape", "Squeeze");
  private static final Set<String> MEANS = Set.of("GlobalAveragePool", "ReduceMean");

  /**
   * Looks from the scores back to the layer.
   *
   * @param score the output that holds the scores
   * @param layer the value whose channels are weighed
   * @return empty where something else lies between them
   */
  static Optional<GemmHead> of(Graph graph, String score, String layer) throws OnnxException {
    Map<String, Node> makers =
        graph.nodes().stream()
            .filter(node -> !node.output().isEmpty())
            .collect(Collectors.toMap(Node::output, Function.identity(), (a, b) -> a));
    Node linear = makers.get(score);
    if (linear != null && linear.is("Add")) {
      Node product = makers.get(linear.input(0));
      linear = product == null ? makers.get(linear.input(1)) : product;
    }
    if (linear == null || !(linear.is("Gemm") || linear.is("MatMul"))) {
      return Optional.empty();
    }
    Node mean = makers.get(linear.input(0));
    while (mean != null && RESHAPES.contains(mean.operator())) {
      mean = makers.get(mean.input(0));
    }
    if (mean == null
        || !MEANS.contains(mean.operator())
        || !layer.equals(mean.input(0))
        || linear.number("transA", 0) != 0
        || linear.real("alpha", 1) != 1) {
      return Optional.empty();
    }
    String name = linear.input(1);
    for (TensorData tensor : graph.initializers()) {
      if (tensor.name().equals(name) && !tensor.isExternal() && tensor.dimensions().length == 2) {
        return Optional.of(of(tensor, linear.number("transB", 0) != 0));
      }
    }
    return Optional.empty();
  }

  private static GemmHead of(TensorData tensor, boolean byClass) throws OnnxException {
    double[] values = tensor.reals();
    int first = (int) tensor.dimensions()[0];
    int second = (int) tensor.dimensions()[1];
    int classes = byClass ? first : second;
    int channels = byClass ? second : first;
    float[] weight = new float[values.length];
    for (int c = 0; c < classes; c++) {
      for (int k = 0; k < channels; k++) {
        weight[c * channels + k] = (float) values[byClass ? c * channels + k : k * classes + c];
      }
    }
    return new GemmHead(weight, channels);
  }

  /** The rows of the targets' classes, {@code [targets, channels]}; null where there are none. */
  @Nullable Tensor rows(List<Target> targets) {
    int classes = weight.length / Math.max(1, channels);
    if (targets.isEmpty() || targets.stream().anyMatch(target -> target.index() >= classes)) {
      return null;
    }
    float[] rows = new float[targets.size() * channels];
    for (int i = 0; i < targets.size(); i++) {
      System.arraycopy(weight, targets.get(i).index() * channels, rows, i * channels, channels);
    }
    return Tensor.ofFloats(rows, targets.size(), channels);
  }
}
