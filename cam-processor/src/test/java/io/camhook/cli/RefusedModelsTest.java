package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The messages of {@code explain} for TorchScript models that it cannot explain as requested. */
class RefusedModelsTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", "reference"), "torchscript");
  private static final String FROZEN =
      "the archive was frozen (torch.jit.freeze or optimize_for_inference put every module into"
          + " forward and its weights into constants); its layers are the values of its operators";

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path out;

  @BeforeEach
  void find_the_archives() {
    assumeTrue(Files.isDirectory(REFERENCE), "no reference data in " + REFERENCE);
    out = folder.resolve("out");
  }

  private Invocation explain(String archive, String layer, String methods) {
    return explain(archive, layer, methods, "top1");
  }

  private Invocation explain(String archive, String layer, String methods, String target) {
    String input = archive.substring(0, archive.indexOf('.')) + ".safetensors";
    return Invocation.of(
        "explain",
        REFERENCE.resolve(archive + ".pt"),
        REFERENCE.resolve(input),
        "-l",
        layer,
        "-m",
        methods,
        "-t",
        target,
        "-o",
        out);
  }

  @Test
  void layer_that_a_frozen_archive_lacks_should_be_said_with_the_nearest() {
    Path file = REFERENCE.resolve("resnet_inlined.frozen.pt");
    assertThat(explain("resnet_inlined.frozen", "relu#9", "gradcam"))
        .isEqualTo(
            new Invocation(
                1,
                "",
                "camhook: %s: no layer 'relu#9': %s; closest of 30: [relu#1, relu#2, relu#3]; 'camhook layers %s' lists all\n"
                    .formatted(file, FROZEN, file)));
  }

  @Test
  void module_of_an_inlined_archive_should_be_its_values_or_those_that_fit() throws IOException {
    assertThat(explain("one_conv.inlined", "relu1", "gradcam").err())
        .contains(
            "the code does not tell which value is that module's; those that fit: relu, relu#1");
    assertThat(explain("resnet_inlined.inlined", "layer1.0.relu", "gradcam").err()).isEmpty();
    assertThat(Safetensors.read(written("resnet_inlined")).tensors())
        .containsKeys("raw/gradcam/relu#1", "raw/gradcam/relu#2");
  }

  @Test
  void operators_should_be_listed_as_layers() throws IOException {
    Invocation frozen =
        Invocation.of("layers", REFERENCE.resolve("resnet_inlined.frozen.pt"), "--json");
    assertThat(frozen.status()).isZero();
    JsonNode listing = JSON.readTree(frozen.out());
    assertThat(listing.get("rootOnly").isNull()).isTrue();
    // conv1's weight of 12 x 3 x 7 x 7 and the bias that folding the batch norm gave it
    JsonNode first = listing.get("modules").get(1);
    assertThat(first.get("path").asText()).isEqualTo("conv2d");
    assertThat(first.get("parameters").asInt()).isEqualTo(12 * 3 * 7 * 7 + 12);
    assertThat(first.get("aliases").get(0).asText()).isEqualTo("x0");
    Invocation whole =
        Invocation.of("layers", REFERENCE.resolve("resnet_inlined.traced.pt"), "--json");
    assertThat(JSON.readTree(whole.out()).get("rootOnly").isNull()).isTrue();
  }

  @Test
  void frozen_text_model_should_have_the_maps_of_its_modules() throws IOException {
    String methods = "hirescam,integrated-gradients,occlusion,attention-rollout";
    Map<String, Tensor> modules = words("words12", methods);
    Map<String, Tensor> frozen = words("words12.frozen", methods);
    assertThat(modules).containsKey("raw/attention-rollout/input");
    modules.forEach(
        (name, map) -> {
          if (name.startsWith("raw/")) {
            assertThat(frozen.get(name.replace("/embeddings", "/embedding")).toFloats())
                .as(name)
                .containsExactly(map.toFloats(), within(1e-6f));
          }
        });
  }

  private Map<String, Tensor> words(String model, String methods) throws IOException {
    Path cases = REFERENCE.resolveSibling("cases");
    Invocation run =
        Invocation.of(
            "explain",
            cases.resolve(model + ".pt"),
            cases.resolve("words12.safetensors"),
            "-l",
            "embedding",
            "-t",
            "class:0",
            "--pad-id",
            "0",
            "-m",
            methods,
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    return Safetensors.read(written("words12")).tensors();
  }

  @ParameterizedTest
  @ValueSource(strings = {"frozen", "inlined"})
  void archive_of_operators_should_have_maps_of_auto(String form) throws IOException {
    String methods =
        "cam,gradcam,layercam,eigencam,scorecam,ablationcam,fullgrad,guided-backprop,guided-gradcam";
    Invocation run = explain("resnet_inlined." + form, "auto", methods);
    assertThat(run.err()).isEmpty();
    Map<String, Tensor> frozen = Safetensors.read(written("resnet_inlined")).tensors();
    explain("resnet_inlined.scripted", "layer4", methods);
    Map<String, Tensor> scripted = Safetensors.read(written("resnet_inlined")).tensors();
    // its convolutions have no bias, so that FullGrad's biases are those of the batch norms there,
    // and of the folded convolutions here
    scripted.forEach(
        (name, tensor) -> {
          if (name.startsWith("raw/")) {
            assertThat(frozen.get(name.replace("/layer4", "/relu#8")).toFloats())
                .as(name)
                .usingComparatorWithPrecision(1e-4f)
                .containsExactly(tensor.toFloats());
          }
        });
    assertThat(scripted.keySet()).filteredOn(name -> name.startsWith("raw/")).hasSize(9);
  }

  /** The number of an operator is no number of a call. */
  @Test
  void operators_should_have_one_map_together_and_the_overlay_of_the_picture() throws IOException {
    Path picture = REFERENCE.resolveSibling("cams").resolve("images/both.png");
    Invocation run =
        Invocation.of(
            "explain",
            REFERENCE.resolve("resnet_inlined.frozen.pt"),
            picture,
            "-l",
            "relu#6,relu#8",
            "-m",
            "layercam",
            "--size",
            "64",
            "-o",
            out);
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(out.resolve("both.layercam.png")).exists();
    Map<String, Tensor> found = Safetensors.read(written("both")).tensors();
    assertThat(found)
        .containsKeys("heatmap/layercam", "raw/layercam/relu#6", "raw/layercam/relu#8");
    Explanation read = ExplanationFile.read(written("both"));
    assertThat(read.maps()).hasSize(1);
    assertThat(read.maps().get(0).result().raw()).containsOnlyKeys("relu#6", "relu#8");
  }

  @Test
  void operators_in_the_code_of_modules_should_be_layers() throws IOException {
    String module = "gradcam,layercam,ablationcam,scorecam";
    assertThat(explain("gap_linear.scripted", "features.7", module).err()).isEmpty();
    Map<String, Tensor> ofModule = Safetensors.read(written("gap_linear")).tensors();
    assertThat(explain("gap_linear.scripted", "features.7/*", module).err()).isEmpty();
    Map<String, Tensor> ofOperator = Safetensors.read(written("gap_linear")).tensors();
    for (String method : module.split(",")) {
      assertThat(ofOperator.get("raw/" + method + "/features.7/relu").toFloats())
          .usingComparatorWithPrecision(1e-6f)
          .containsExactly(ofModule.get("raw/" + method + "/features.7").toFloats());
    }
    assertThat(explain("gap_linear.scripted", "features.7/rely", "gradcam").err())
        .startsWith("camhook: " + REFERENCE.resolve("gap_linear.scripted.pt"))
        .contains(": no operator 'features.7/rely'; closest of ")
        .contains(": [features.7/relu, features.1/relu, features.4/relu]; 'camhook layers ")
        .endsWith("--operators' lists all\n");
  }

  private Path written(String name) {
    return out.resolve(name + ".safetensors");
  }

  @Test
  void frozen_archive_should_have_its_output() throws IOException {
    assertThat(explain("resnet_inlined.frozen", ".", "none", "none").status()).isZero();
    Path written = out.resolve("resnet_inlined.safetensors");
    float[] logits =
        Safetensors.read(REFERENCE.resolve("resnet_inlined.safetensors"))
            .tensors()
            .get("logits")
            .toFloats();
    assertThat(Safetensors.read(written).tensors().get("activation/.").toFloats())
        .usingComparatorWithPrecision(1e-4f)
        .containsExactly(logits);
  }

  @Test
  void layer_in_a_loop_should_not_be_replaced() throws IOException {
    Invocation run = explain("control_flow.scripted", "again", "gradcam,ablationcam");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).endsWith("1 input, 3 maps, 3 overlays in " + out + "\n");
    assertThat(run.err())
        .isEqualTo(
            "camhook: control_flow: ablationcam: layer 'again' cannot be replaced: this TorchScript"
                + " model calls it from several places or in a loop, or its result is not a tensor;"
                + " choose another layer\n");
    assertThat(Safetensors.read(out.resolve("control_flow.safetensors")).tensors())
        .containsKeys("raw/gradcam/again", "raw/gradcam/again#1", "raw/gradcam/again#2")
        .containsKeys("heatmap/gradcam", "heatmap/gradcam#1", "heatmap/gradcam#2");
  }

  @Test
  void branch_that_the_input_does_not_take_should_be_said() {
    Invocation run = explain("control_flow.scripted", "negative", "gradcam");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: control_flow: gradcam: no layer was recorded: with this input the model's"
                + " code does not call any that was named, or it returns no tensor\n");
    assertThat(explain("control_flow.scripted", "positive", "gradcam,ablationcam").status())
        .isZero();
  }

  @Test
  void module_that_returns_no_tensor_should_be_said() {
    Invocation run = explain("swin.traced", "features.1.0.stochastic_depth", "none");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: swin.traced.pt: features.1.0.stochastic_depth: returns NoneType in this"
                + " archive, so there is nothing to record\n"
                + "camhook: swin: no layer was recorded: with this input the model's code does not"
                + " call any that was named, or it returns no tensor\n");
  }

  @Test
  void layers_behind_an_operator_without_derivative_should_have_gradients() throws IOException {
    Invocation run = explain("vit.traced_no_grad", "*", "none");
    assertThat(run.status()).isZero();
    assertThat(run.err())
        .isEqualTo(
            "camhook: vit.traced_no_grad.pt: 25 of 41 layers have no gradient: an operator after"
                + " them has no derivative; the last of them is"
                + " 'encoder.layers.encoder_layer_2.ln_1'\n");
    Map<String, Tensor> found = Safetensors.read(out.resolve("vit.safetensors")).tensors();
    assertThat(found.keySet().stream().filter(name -> name.startsWith("activation/"))).hasSize(41);
    assertThat(found)
        .containsKey("gradient/encoder.layers.encoder_layer_2.self_attention")
        .doesNotContainKey("gradient/encoder.layers.encoder_layer_2.ln_1");
    float[] gradient = found.get("gradient/encoder.ln").toFloats();
    JsonNode facts = JSON.readTree(REFERENCE.resolve("vit.json").toFile());
    for (JsonNode call : facts.get("calls")) {
      if (call.get("path").asText().equals("encoder.ln")) {
        JsonNode tensor = call.get("tensors").get(0);
        JsonNode sample = tensor.get("grad").get("sample");
        assertThat(sample).isNotEmpty();
        for (int i = 0; i < sample.size(); i++) {
          assertThat(gradient[tensor.get("at").get(i).asInt()])
              .isCloseTo((float) sample.get(i).asDouble(), within(1e-6f));
        }
      }
    }
  }

  @Test
  void model_that_cannot_be_differentiated_should_be_said() {
    Invocation run =
        explain("vit.traced_no_grad", "encoder.layers.encoder_layer_0.ln_1", "gradcam");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: vit: the engine cannot differentiate this model: derivative for"
                + " aten::_native_multi_head_attention is not implemented; -t none records without"
                + " gradients\n");
  }

  @Test
  void scores_of_a_dict_should_be_those_that_are_differentiated() throws IOException {
    assertThat(explain("dict_root.scripted", "*", "none").status()).isZero();
    Safetensors found = Safetensors.read(out.resolve("dict_root.safetensors"));
    // entries out, aux and features; the reference differentiated out
    assertThat(found.tensors().get("logits").toFloats())
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(
            Safetensors.read(REFERENCE.resolve("dict_root.safetensors"))
                .tensors()
                .get("output.out")
                .toFloats());
  }

  @Test
  void model_without_relu_should_not_be_guided() {
    Invocation run = explain("vit.traced", "auto", "guided-backprop");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: vit: guided-backprop: vit.traced.pt: guided backpropagation needs ReLUs"
                + " (relu, clamp or threshold at 0), and forward reaches none; what it has is not"
                + " guided: [gelu]\n");
  }

  @Test
  void blocked_values_of_onednn_should_be_said_by_name() throws IOException {
    Path model = folder.resolve("blocked.pt");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(model))) {
      String training = "X\10\0\0\0training\u0089";
      entry(zip, "data.pkl", "\u0080\2c__torch__\nNet\n)\u0081}(" + training + "ub.");
      entry(zip, "constants.pkl", "\u0080\2).");
      entry(zip, "version", "3\n");
      entry(
          zip,
          "code/__torch__.py",
          """
          class Net(Module):
            __parameters__ = []
            __buffers__ = []
            training : bool
            def forward(self: __torch__.Net,
              x: Tensor) -> Tensor:
              blocked = torch.to_mkldnn(x)
              rectified = torch.relu(blocked)
              dense = torch.to_dense(rectified)
              return torch.flatten(torch.adaptive_avg_pool2d(dense, [1, 1]), 1)
          """);
    }
    Path picture = REFERENCE.resolve("resnet_inlined.safetensors");
    Invocation run = Invocation.of("explain", model, picture, "-l", "relu", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith(
            "camhook: blocked.pt: layer 'relu' has oneDNN's blocked layout, which the code makes"
                + " between to_mkldnn and to_dense: its value is recorded, its gradient cannot be"
                + " computed; name a layer before or after these\n")
        .contains("camhook: resnet_inlined: gradcam: ");
    Invocation values =
        Invocation.of("explain", model, picture, "-l", "relu", "-m", "eigencam", "-o", out);
    assertThat(values.status()).as(values.err()).isZero();
    Invocation after = Invocation.of("explain", model, picture, "-l", "to_dense", "-o", out);
    assertThat(after.err()).isEmpty();
    assertThat(after.status()).isZero();
  }

  private static void entry(ZipOutputStream zip, String name, String bytes) throws IOException {
    zip.putNextEntry(new ZipEntry("model/" + name));
    zip.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    zip.closeEntry();
  }
}
