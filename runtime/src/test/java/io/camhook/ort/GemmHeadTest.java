package io.camhook.ort;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which heads multiply the means of a layer's channels by a matrix and add a bias. */
class GemmHeadTest {
  private static final TensorData WEIGHT =
      TensorData.of("w", ElementType.FLOAT, new long[] {3, 2}, 1, 2, 3, 4, 5, 6);
  private static final TensorData TRANSPOSED =
      TensorData.of("w", ElementType.FLOAT, new long[] {2, 3}, 1, 3, 5, 2, 4, 6);
  private static final TensorData BIAS =
      TensorData.of("b", ElementType.FLOAT, new long[] {3}, 7, 8, 9);

  private static Node node(
      String operator, List<String> inputs, String output, Attribute... attributes) {
    return Node.of(operator, output, inputs, List.of(output), List.of(attributes));
  }

  private static Optional<GemmHead> head(List<TensorData> constants, Node... nodes)
      throws Exception {
    List<Node> all = new ArrayList<>(List.of(node("Relu", List.of("x"), "a")));
    all.addAll(List.of(nodes));
    Graph graph =
        Graph.of(
            all,
            constants,
            List.of(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, -1, 2, 4, 4))),
            List.of(ValueInfo.of("y", TensorType.of(ElementType.FLOAT, -1, 3))));
    return GemmHead.of(graph, "y", "a");
  }

  private static void requireAffine(Optional<GemmHead> head) {
    assertThat(head).isPresent();
    assertThat(head.get().weight()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(head.get().bias()).containsExactly(7, 8, 9);
    assertThat(head.get().overPositions()).isTrue();
  }

  @Test
  void average_and_gemm_should_be_known() throws Exception {
    requireAffine(
        head(
            List.of(WEIGHT, BIAS),
            node("GlobalAveragePool", List.of("a"), "m"),
            node("Flatten", List.of("m"), "f"),
            node("Gemm", List.of("f", "w", "b"), "y", Attribute.of("transB", 1))));
  }

  @Test
  void mean_and_product_and_sum_should_be_known() throws Exception {
    requireAffine(
        head(
            List.of(TRANSPOSED, BIAS),
            node(
                "ReduceMean",
                List.of("a"),
                "m",
                Attribute.of("axes", new long[] {-1, -2}),
                Attribute.of("keepdims", 0)),
            node("MatMul", List.of("m", "w"), "p"),
            node("Add", List.of("b", "p"), "y")));
  }

  @Test
  void mean_over_channels_should_not_count_as_one_over_positions() throws Exception {
    Optional<GemmHead> head =
        head(
            List.of(WEIGHT, BIAS),
            node("ReduceMean", List.of("a"), "m", Attribute.of("axes", new long[] {1, 2})),
            node("Flatten", List.of("m"), "f"),
            node("Gemm", List.of("f", "w", "b"), "y", Attribute.of("transB", 1)));
    assertThat(head.map(GemmHead::overPositions).orElse(false)).isFalse();
  }

  @Test
  void scaled_bias_should_not_be_taken_as_it_is() throws Exception {
    Optional<GemmHead> head =
        head(
            List.of(WEIGHT, BIAS),
            node("GlobalAveragePool", List.of("a"), "m"),
            node("Flatten", List.of("m"), "f"),
            node(
                "Gemm",
                List.of("f", "w", "b"),
                "y",
                Attribute.of("transB", 1),
                Attribute.of("beta", 2f)));
    assertThat(head).isPresent();
    assertThat(head.get().bias()).isNull();
  }

  @Test
  void other_values_and_operators_between_should_be_refused() throws Exception {
    assertThat(
            head(
                List.of(WEIGHT, BIAS),
                node("Relu", List.of("a"), "r"),
                node("GlobalAveragePool", List.of("r"), "m"),
                node("Flatten", List.of("m"), "f"),
                node("Gemm", List.of("f", "w", "b"), "y", Attribute.of("transB", 1))))
        .isEmpty();
    assertThat(
            head(
                List.of(WEIGHT, BIAS),
                node("GlobalAveragePool", List.of("a"), "m"),
                node("Flatten", List.of("m"), "f"),
                node("Gemm", List.of("f", "w", "b"), "g", Attribute.of("transB", 1)),
                node("Softmax", List.of("g"), "y")))
        .isEmpty();
    assertThat(
            head(
                List.of(WEIGHT, BIAS),
                node("GlobalAveragePool", List.of("a"), "m"),
                node("Flatten", List.of("m"), "f"),
                node(
                    "Gemm",
                    List.of("f", "w", "b"),
                    "y",
                    Attribute.of("transB", 1),
                    Attribute.of("alpha", 2f))))
        .isEmpty();
  }
}
