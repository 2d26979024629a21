package io.camhook.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.engine.ModelSession;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table of three words with two numbers each; scores are sums of squares and plain sums. */
class OnnxSessionTest {
  @TempDir Path folder;

  @Test
  void gradients_should_be_those_at_the_vectors_given() throws IOException {
    try (ModelSession session = session()) {
      Tensor ids = Tensor.ofLongs(new long[] {2, 0}, 1, 2);
      ModelSession.Pass pass = session.run(List.of(ids), OnnxSessionTest::ones, false);
      // rows 2 and 0 of the table
      assertThat(pass.activations().get(LayerOutput.of("vectors")).toFloats())
          .containsExactly(5, 6, 1, 2);
      assertThat(pass.outputs().get(0).toFloats()).containsExactly(25 + 36 + 1 + 4);
      assertThat(pass.gradients().get(0).get(LayerOutput.of("vectors")).toFloats())
          .containsExactly(10, 12, 2, 4); // 2x
      Tensor two = Tensor.ofFloats(new float[] {0.5f, 1, 2, 3, -1, 0, 0, 4}, 2, 2, 2);
      assertThat(
              session.gradientFrom("vectors", two, List.of(ids), OnnxSessionTest::ones).toFloats())
          .containsExactly(1, 2, 4, 6, -2, 0, 0, 8);
    }
  }

  @Test
  void another_output_should_be_scored() throws IOException {
    try (ModelSession session = session()) {
      Tensor ids = Tensor.ofLongs(new long[] {2, 0}, 1, 2);
      session.run(List.of(ids), OnnxSessionTest::ones, false);
      assertThat(session.outputNames()).containsExactly("squares", "sum");
      for (String name : List.of("1", "sum")) {
        session.use(new ModelSession.Use(name, List.of()));
        ModelSession.Pass pass = session.run(List.of(ids), OnnxSessionTest::ones, false);
        assertThat(session.outputNames()).containsExactly("sum", "squares");
        assertThat(pass.outputs().get(0).toFloats()).containsExactly(5 + 6 + 1 + 2);
        assertThat(pass.gradients().get(0).get(LayerOutput.of("vectors")).toFloats())
            .containsExactly(1, 1, 1, 1);
      }
      assertThatThrownBy(() -> session.use(new ModelSession.Use("logits", List.of())))
          .hasMessage("--output logits: the model has no such output; it returns squares, sum");
    }
  }

  private static List<Tensor> ones(Tensor output) {
    float[] ones = new float[(int) output.elements()];
    java.util.Arrays.fill(ones, 1);
    return List.of(Tensor.ofFloats(ones, output.shape()));
  }

  private ModelSession session() throws IOException {
    List<Node> nodes =
        List.of(
            Node.of("Gather", "embed", List.of("table", "ids"), List.of("vectors"), List.of()),
            Node.of("Mul", "square", List.of("vectors", "vectors"), List.of("squared"), List.of()),
            sum("squared", "squares"),
            sum("vectors", "sum"));
    TensorData table =
        TensorData.of("table", ElementType.FLOAT, new long[] {3, 2}, 1, 2, 3, 4, 5, 6);
    TensorData axes = TensorData.of("axes", ElementType.INT64, new long[] {2}, 1, 2);
    OnnxModel model =
        OnnxModel.of(
            Graph.of(
                nodes,
                List.of(table, axes),
                List.of(ValueInfo.of("ids", TensorType.of(ElementType.INT64, -1, 2))),
                List.of(ValueInfo.named("squares"), ValueInfo.named("sum"))),
            17);
    Path file = Files.write(folder.resolve("words.onnx"), model.toByteArray());
    return OnnxFile.open(file).session(List.of("vectors"));
  }

  private static Node sum(String from, String to) {
    return Node.of(
        "ReduceSum",
        to + "_node",
        List.of(from, "axes"),
        List.of(to),
        List.of(Attribute.of("keepdims", 0)));
  }
}
