package io.camhook.ort;

import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import java.util.Arrays;
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
 * @param bias {@code [classes]}; null if it is not a constant
 * @param overPositions whether the mean is known to be over all positions of a channels-first layer
 */
record GemmHead(float[] weight, int channels, float @Nullable [] bias, boolean overPositions) {
  private static final Set<String> RESHAPES = Set.of("Flatten", "Reshape", "Squeeze");
  private static final Set<String> MEANS = Set.of("GlobalAveragePool", "ReduceMean");

  /**
   * Looks from the scores back to the layer.
   *
   * @param score the output that holds the scores
   * @param layer the value whose channels are weighed
   * @return empty if something else is between them
   */
  static Optional<GemmHead> of(Graph graph, String score, String layer) throws OnnxException {
    Map<String, Node> makers =
        graph.nodes().stream()
            .filter(node -> !node.output().isEmpty())
            .collect(Collectors.toMap(Node::output, Function.identity(), (a, b) -> a));
    Node linear = makers.get(score);
    String added = linear == null ? null : linear.input(2);
    if (linear != null && linear.is("Add")) {
      Node product = makers.get(linear.input(0));
      added = linear.input(product == null ? 0 : 1);
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
        boolean byClass = linear.number("transB", 0) != 0;
        int classes = (int) tensor.dimensions()[byClass ? 0 : 1];
        float[] bias = linear.real("beta", 1) == 1 ? bias(graph, added, classes) : null;
        return Optional.of(of(tensor, byClass, bias, isOverPositions(graph, mean)));
      }
    }
    return Optional.empty();
  }

  private static float @Nullable [] bias(Graph graph, @Nullable String name, int classes)
      throws OnnxException {
    if (name == null) {
      return new float[classes];
    }
    for (TensorData tensor : graph.initializers()) {
      if (tensor.name().equals(name) && !tensor.isExternal() && tensor.size() == classes) {
        double[] values = tensor.reals();
        float[] bias = new float[classes];
        for (int i = 0; i < classes; i++) {
          bias[i] = (float) values[i];
        }
        return bias;
      }
    }
    return null;
  }

  private static boolean isOverPositions(Graph graph, Node mean) throws OnnxException {
    if (mean.is("GlobalAveragePool")) {
      return true;
    }
    long[] axes = mean.numbers("axes");
    for (TensorData tensor : graph.initializers()) {
      if (axes == null && tensor.name().equals(mean.input(1)) && !tensor.isExternal()) {
        axes = tensor.longs();
      }
    }
    if (axes == null) {
      return false;
    }
    long[] sorted = axes.clone();
    Arrays.sort(sorted);
    long first = sorted[0] >= 0 ? 2 : -sorted.length;
    for (int i = 0; i < sorted.length; i++) {
      if (sorted[i] != first + i) {
        return false;
      }
    }
    return true;
  }

  private static GemmHead of(
      TensorData tensor, boolean byClass, float @Nullable [] bias, boolean overPositions)
      throws OnnxException {
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
    return new GemmHead(weight, channels, bias, overPositions);
  }

  /** The rows of the targets' classes, {@code [targets, channels]}; null if there are none. */
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
