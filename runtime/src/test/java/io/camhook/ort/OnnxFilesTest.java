package io.camhook.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.gradient.OpsetUpgrade;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.onnx.naming.OnnxModule;
import io.camhook.onnx.naming.OnnxModules;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that cannot be used, and older or newer ones: one line each, never a crash. */
class OnnxFilesTest {
  @TempDir java.nio.file.Path folder;

  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
  private static final int DAMAGED = Integer.getInteger("camhook.fuzz", 600);

  private static ValueInfo floats(String name, long... shape) {
    return ValueInfo.of(name, TensorType.of(ElementType.FLOAT, shape));
  }

  private static Node node(String operator, List<String> inputs, String output, Attribute... all) {
    return Node.of(operator, output + "_node", inputs, List.of(output), List.of(all));
  }

  private static OnnxModel model(int opset, List<Node> nodes, TensorData... constants) {
    String last = nodes.get(nodes.size() - 1).output();
    return OnnxModel.of(
        Graph.of(
            nodes, List.of(constants), List.of(floats("x", 1, 4)), List.of(ValueInfo.named(last))),
        opset);
  }

  private static OnnxModel small() {
    return model(
        17,
        List.of(
            node("Gemm", List.of("x", "w"), "h"),
            node("Relu", List.of("h"), "a"),
            node("ReduceSum", List.of("a"), "y", Attribute.of("keepdims", 1))),
        TensorData.of("w", ElementType.FLOAT, new long[] {4, 2}, 1, 2, 3, 4, 5, 6, 7, 8));
  }

  @Test
  void a_written_model_should_be_read_again() throws Exception {
    OnnxModel again = OnnxModel.parse(small().toByteArray());
    assertThat(again.graph().nodes()).hasSize(3);
    assertThat(again.graph().initializers().get(0).reals()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(again.opset()).isEqualTo(17);
  }

  @Test
  void no_model_should_be_refused() {
    assertThatThrownBy(
            () -> OnnxModel.parse("{\"no\": \"model\"}".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("not an ONNX model");
    assertThatThrownBy(() -> OnnxModel.parse(new byte[0])).hasMessageContaining("empty");
    byte[] optimised = "0000ORTM00000000".getBytes(StandardCharsets.US_ASCII);
    assertThatThrownBy(() -> OnnxModel.parse(optimised)).hasMessageContaining(".ort");
  }

  /** Whatever the bytes are: a model, or one line. */
  @Test
  void damaged_files_should_be_refused_in_one_line() throws Exception {
    byte[] whole = small().toByteArray();
    Random random = new Random(3);
    for (int i = 0; i < DAMAGED; i++) {
      byte[] bytes =
          java.util.Arrays.copyOf(whole, i % 3 == 0 ? random.nextInt(whole.length) : whole.length);
      for (int k = 0; k < 1 + random.nextInt(4) && bytes.length > 0; k++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try {
        OnnxModel model = OnnxModel.parse(bytes);
        OnnxModule last = OnnxModules.of(model, Map.of()).all().get(0);
        GradientModel.of(OpsetUpgrade.upgraded(model), Map.of())
            .taps(List.of(String.valueOf(last.value())))
            .score(model.graph().outputs().get(0).name())
            .build();
      } catch (OnnxException e) {
        assertThat(e.getMessage()).doesNotContain("\n");
      }
    }
  }

  @Test
  void an_operator_set_that_is_too_old_should_be_refused() {
    OnnxModel old = model(7, List.of(node("Relu", List.of("x"), "y")));
    assertThatThrownBy(() -> OpsetUpgrade.upgraded(old))
        .hasMessageContaining("operator set 7")
        .hasMessageContaining("9 to 23");
  }

  @Test
  void missing_weights_should_be_named() throws Exception {
    // TensorProto: dims 4, float, name w, external_data location=weights.bin, data_location
    // EXTERNAL
    com.google.protobuf.UnknownFieldSet entry =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(1, text("location"))
            .addField(2, text("weights.bin"))
            .build();
    com.google.protobuf.UnknownFieldSet tensor =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(1, number(4))
            .addField(2, number(1))
            .addField(8, text("w"))
            .addField(13, bytes(entry.toByteString()))
            .addField(14, number(1))
            .build();
    com.google.protobuf.UnknownFieldSet graph =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(5, bytes(tensor.toByteString()))
            .build();
    com.google.protobuf.UnknownFieldSet more =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(7, bytes(graph.toByteString()))
            .build();
    // Messages that follow one another are merged.
    byte[] model =
        com.google.protobuf.ByteString.copyFrom(
                model(17, List.of(node("Relu", List.of("x"), "y"))).toByteArray())
            .concat(more.toByteString())
            .toByteArray();
    OnnxModel read = OnnxModel.parse(model);
    assertThat(read.externalFiles()).containsExactly("weights.bin");
    assertThatThrownBy(() -> OrtModel.of(ENVIRONMENT, read, java.nio.file.Path.of("nowhere"), 1))
        .isInstanceOf(OnnxException.class)
        .hasMessageContaining("weights.bin")
        .hasMessageContaining("nowhere");
  }

  /** y = sum(x * w) with w in a file beside the model: ∂y/∂x = w. */
  @Test
  void weights_beside_the_model_should_be_found() throws Exception {
    float[] w = {2, -3, 5, 7};
    java.nio.ByteBuffer raw =
        java.nio.ByteBuffer.allocate(16).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    for (float value : w) {
      raw.putFloat(value);
    }
    java.nio.file.Files.write(folder.resolve("weights.bin"), raw.array());
    com.google.protobuf.UnknownFieldSet entry =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(1, text("location"))
            .addField(2, text("weights.bin"))
            .build();
    com.google.protobuf.UnknownFieldSet tensor =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(1, number(4))
            .addField(2, number(1))
            .addField(8, text("w"))
            .addField(13, bytes(entry.toByteString()))
            .addField(14, number(1))
            .build();
    com.google.protobuf.UnknownFieldSet more =
        com.google.protobuf.UnknownFieldSet.newBuilder()
            .addField(
                7,
                bytes(
                    com.google.protobuf.UnknownFieldSet.newBuilder()
                        .addField(5, bytes(tensor.toByteString()))
                        .build()
                        .toByteString()))
            .build();
    // w is a constant of a graph in which it was an input.
    Graph graph =
        Graph.of(
            List.of(
                node("Mul", List.of("x", "w"), "a"),
                node("ReduceSum", List.of("a"), "y", Attribute.of("keepdims", 1))),
            List.of(),
            List.of(
                ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 1, 4)),
                ValueInfo.of("w", TensorType.of(ElementType.FLOAT, 4))),
            List.of(ValueInfo.of("y", TensorType.of(ElementType.FLOAT, 1, 1))));
    java.nio.file.Path file =
        java.nio.file.Files.write(
            folder.resolve("model.onnx"),
            com.google.protobuf.ByteString.copyFrom(OnnxModel.of(graph, 17).toByteArray())
                .concat(more.toByteString())
                .toByteArray());
    OrtModel model = OrtModel.of(ENVIRONMENT, OnnxModel.read(file), folder, 1);
    GradientModel gradient = model.gradient(List.of("x"), "y");
    try (OrtSession session = model.session(gradient.model());
        OnnxTensor x = OnnxTensor.createTensor(ENVIRONMENT, new float[][] {{1, 1, 1, 1}});
        OnnxTensor seed = OnnxTensor.createTensor(ENVIRONMENT, new float[][] {{1}});
        OrtSession.Result result =
            session.run(
                OrtModel.only(Map.of("x", x, GradientModel.SEED, seed), session.getInputNames()))) {
      String name = gradient.gradientOf("x").orElseThrow();
      assertThat(((float[][]) result.get(name).orElseThrow().getValue())[0]).containsExactly(w);
    }
  }

  @Test
  void a_file_that_no_protobuf_can_be_should_be_refused_before_it_is_read() throws Exception {
    java.nio.file.Path file = folder.resolve("huge.onnx");
    try (java.io.RandomAccessFile sparse = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(Integer.MAX_VALUE + 1L); // takes no room on the disk
    }
    assertThatThrownBy(() -> OnnxModel.read(file))
        .isInstanceOf(OnnxException.class)
        .hasMessage(
            "huge.onnx has 2147483648 bytes; a protobuf has at most 2 GB: keep the weights as"
                + " external data");
  }

  private static com.google.protobuf.UnknownFieldSet.Field text(String value) {
    return bytes(com.google.protobuf.ByteString.copyFromUtf8(value));
  }

  private static com.google.protobuf.UnknownFieldSet.Field bytes(
      com.google.protobuf.ByteString value) {
    return com.google.protobuf.UnknownFieldSet.Field.newBuilder().addLengthDelimited(value).build();
  }

  private static com.google.protobuf.UnknownFieldSet.Field number(long value) {
    return com.google.protobuf.UnknownFieldSet.Field.newBuilder().addVarint(value).build();
  }

  private static String refusal(OnnxModel model, String tap) throws OnnxException {
    String score = model.graph().outputs().get(0).name();
    return GradientModel.of(model, Map.of())
        .taps(List.of(tap))
        .score(score)
        .build()
        .refusals()
        .get(tap);
  }

  @Test
  void quantised_models_should_be_refused_by_name() throws Exception {
    OnnxModel model =
        model(
            17,
            List.of(
                node("Relu", List.of("x"), "a"),
                Node.of("QuantizeLinear", "q", List.of("a", "s", "z"), List.of("b"), List.of()),
                node("DequantizeLinear", List.of("b", "s", "z"), "y")),
            TensorData.of("s", ElementType.FLOAT, new long[0], 0.1),
            TensorData.of("z", ElementType.INT32, new long[0], 0));
    assertThat(refusal(model, "a"))
        .contains("quantised")
        .contains("DequantizeLinear")
        .doesNotContain("\n");
  }

  @Test
  void control_flow_between_layer_and_score_should_be_refused_by_name() throws Exception {
    Graph branch =
        Graph.of(
            List.of(node("Neg", List.of("a"), "inner")),
            List.of(),
            List.of(),
            List.of(ValueInfo.named("inner")));
    OnnxModel model =
        model(
            17,
            List.of(
                node("Relu", List.of("x"), "a"),
                node(
                    "If",
                    List.of("c"),
                    "y",
                    Attribute.of("then_branch", branch),
                    Attribute.of("else_branch", branch))),
            TensorData.of("c", ElementType.INT32, new long[0], 1));
    assertThat(refusal(model, "a")).contains("If").contains("control flow");
  }

  /** y = Σ relu(softmax(x)·…): the same numbers for every operator set. */
  @ParameterizedTest
  @CsvSource({"9", "11", "12", "13", "16", "17", "18", "20"})
  void operator_sets_should_give_the_same_gradient(int opset) throws Exception {
    List<Node> nodes = new ArrayList<>();
    nodes.add(node("Softmax", List.of("x"), "p", Attribute.of("axis", 1)));
    nodes.add(
        opset < 13
            ? node("Unsqueeze", List.of("p"), "u", Attribute.of("axes", new long[] {0}))
            : node("Unsqueeze", List.of("p", "axes"), "u"));
    nodes.add(
        opset < 11
            ? node("Clip", List.of("u"), "c", Attribute.of("min", 0.2f), Attribute.of("max", 9f))
            : node("Clip", List.of("u", "low"), "c"));
    nodes.add(
        opset < 18
            ? node("ReduceMean", List.of("c"), "y", Attribute.of("axes", new long[] {1, 2}))
            : node("ReduceMean", List.of("c", "both"), "y"));
    OnnxModel written =
        model(
            opset,
            nodes,
            TensorData.of("axes", new long[] {1}, 0),
            TensorData.of("both", new long[] {2}, 1, 2),
            TensorData.of("low", ElementType.FLOAT, new long[0], 0.2));
    OrtModel model = OrtModel.of(ENVIRONMENT, written, null, 1);
    GradientModel gradient = model.gradient(List.of("x"), "y");
    io.camhook.recording.Tensor x =
        io.camhook.recording.Tensor.ofFloats(new float[] {0, 1, 2, 1}, 1, 4);
    io.camhook.recording.Tensor seed =
        io.camhook.recording.Tensor.ofFloats(new float[] {1}, 1, 1, 1);
    float[] g = gradient(model, gradient, x, seed);
    // p = softmax(0,1,2,1) = e^x/(1+2e+e²): .0723 .1966 .5344 .1966; only .5344 passes the clip.
    // y = ¼·p₂ + constants: dy/dxᵢ = ¼·p₂·(δ₂ᵢ - pᵢ).
    double total = 1 + 2 * Math.E + Math.E * Math.E;
    double p = Math.E * Math.E / total;
    double[] expected = {
      -p / total / 4, -p * Math.E / total / 4, p * (1 - p) / 4, -p * Math.E / total / 4
    };
    for (int i = 0; i < 4; i++) {
      assertThat((double) g[i])
          .isCloseTo(expected[i], org.assertj.core.api.Assertions.within(1e-6));
    }
  }

  private static float[] gradient(
      OrtModel model,
      GradientModel gradient,
      io.camhook.recording.Tensor x,
      io.camhook.recording.Tensor seed)
      throws Exception {
    try (ai.onnxruntime.OrtSession session = model.session(gradient.model());
        ai.onnxruntime.OnnxTensor input = OrtTensors.tensor(ENVIRONMENT, x, ElementType.FLOAT);
        ai.onnxruntime.OnnxTensor start = OrtTensors.tensor(ENVIRONMENT, seed, ElementType.FLOAT);
        ai.onnxruntime.OrtSession.Result result =
            session.run(
                OrtModel.only(
                    Map.of("x", input, GradientModel.SEED, start), session.getInputNames()))) {
      return OrtTensors.copied(result.get(gradient.gradientOf("x").orElseThrow()).orElseThrow())
          .orElseThrow()
          .toFloats();
    }
  }
}
