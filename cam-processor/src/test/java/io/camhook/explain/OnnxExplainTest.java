package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same weights as TorchScript and as ONNX: every method gives the same heatmap. */
@EnabledIf("present")
class OnnxExplainTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", "../shared/reference"));

  /** Two engines round differently; heatmaps go from 0 to 1. */
  private static final double TOLERANCE = 1e-3;

  /** The sign of a principal component is arbitrary. */
  private static final Set<String> EITHER_SIGN = Set.of("eigencam", "eigengradcam", "kpcacam");

  static boolean present() {
    return Files.isDirectory(REFERENCE.resolve("onnx"));
  }

  /**
   * A step meets a ReLU or a max pool at its kink, where rounding decides, and processors with
   * AVX-512 round in another way: an area of the map then changes by 0.009, and the mean counts.
   */
  private static final String AT_A_KINK = "densenet integrated-gradients";

  @ParameterizedTest
  @CsvSource({
    "gap_linear, gap_linear.l17, features",
    "multi_input, multi_input.l17, features.1",
  })
  void every_method_should_give_the_heatmap_of_torchscript(String name, String onnx, String layer)
      throws IOException {
    Set<String> methods = new LinkedHashSet<>(ModelMethods.allIds());
    methods.remove("randomcam");
    compare(name, onnx, layer, methods);
  }

  @ParameterizedTest
  @CsvSource({
    "resnet_basic, resnet_basic.l17, layer4",
    "resnet_basic, resnet_basic.d18, layer3",
    "mobilenet_v3_small, mobilenet_v3_small.d18, features.8",
    "vit, vit.l17, encoder.layers.encoder_layer_2.ln_1",
    "densenet, densenet.l17, features.denseblock3",
  })
  void gradients_should_give_the_heatmap_of_torchscript(String name, String onnx, String layer)
      throws IOException {
    if (!Files.exists(REFERENCE.resolve("onnx/" + onnx + ".onnx"))) {
      onnx = onnx.replace(".d18", ".l17"); // a clone has one exporter's file of most networks
    }
    compare(
        name,
        onnx,
        layer,
        Set.of(
            "gradcam", "layercam", "hirescam", "integrated-gradients", "shapleycam", "fullgrad"));
  }

  private static void compare(String name, String onnx, String layer, Set<String> methods)
      throws IOException {
    List<Tensor> inputs = new ArrayList<>();
    Map<String, Tensor> tensors =
        Safetensors.read(REFERENCE.resolve("torchscript/" + name + ".safetensors")).tensors();
    for (String key : List.of("input", "input0", "input1")) {
      if (tensors.containsKey(key)) {
        inputs.add(tensors.get(key));
      }
    }
    ModelInput input = new ModelInput(name, inputs, null);
    TargetChoice target = TargetChoice.parse("top1", Labels.none());
    List<String> wrong = new ArrayList<>();
    try (Explainer torch =
            Explainer.load(
                ReferenceCase.form(REFERENCE.resolve("torchscript/" + name + ".traced.pt")),
                List.of(layer));
        Explainer ort =
            Explainer.load(REFERENCE.resolve("onnx/" + onnx + ".onnx"), List.of(layer))) {
      Explained expected = torch.run(input, target);
      Explained found = ort.run(input, target);
      assertThat(found.logits().orElseThrow().toFloats())
          .usingComparatorWithPrecision(1e-4f)
          .containsExactly(expected.logits().orElseThrow().toFloats());
      for (String method : methods) {
        String difference = difference(name, method, expected, found);
        if (!difference.isEmpty()) {
          wrong.add(method + ": " + difference);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static String difference(
      String name, String method, Explained expected, Explained found) {
    RunOptions options =
        RunOptions.forInput(expected.input().tensors().get(0)).withSamples(4).withSeed(1);
    CamResult map;
    try {
      map = expected.map(method, 0, options, Heatmaps.standard());
    } catch (CamException e) {
      return ""; // no method for this model, in either engine
    }
    try {
      FloatMap other = found.map(method, 0, options, Heatmaps.standard()).heatmap();
      double worst =
          AT_A_KINK.equals(name + " " + method)
              ? mean(map.heatmap(), other)
              : worst(map.heatmap(), other);
      return worst <= TOLERANCE || EITHER_SIGN.contains(method) ? "" : String.valueOf(worst);
    } catch (CamException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static double mean(FloatMap one, FloatMap other) {
    double sum = 0;
    for (int i = 0; i < one.values().length; i++) {
      sum += Math.abs(one.values()[i] - other.values()[i]);
    }
    return sum / one.values().length;
  }

  private static double worst(FloatMap one, FloatMap other) {
    double worst = 0;
    for (int i = 0; i < one.values().length; i++) {
      worst = Math.max(worst, Math.abs(one.values()[i] - other.values()[i]));
    }
    return worst;
  }

  @Test
  void a_folded_convolution_should_be_refused() {
    Path model = REFERENCE.resolve("onnx/resnet_basic.l17.onnx");
    assertThatThrownBy(() -> Explainer.load(model, List.of("layer1.0.conv1")))
        .isInstanceOf(ExplainException.class)
        .hasMessageContaining("layer 'layer1.0.conv1' is not in the graph")
        .hasMessageContaining("BatchNorm")
        .hasMessageContaining("nearest available");
  }

  @Test
  void the_sanity_check_should_change_the_scores_step_by_step() throws IOException {
    Path model = REFERENCE.resolve("onnx/gap_linear.l17.onnx");
    Tensor image =
        Safetensors.read(REFERENCE.resolve("torchscript/gap_linear.safetensors"))
            .tensors()
            .get("input");
    ModelInput input = new ModelInput("image", List.of(image), null);
    WeightCascade cascade = WeightCascade.of(model);
    assertThat(cascade.layers()).containsExactly("fc", "features.6", "features.3", "features.0");
    List<String> seen = new ArrayList<>();
    try (Explainer trained = Explainer.load(model, List.of("features"))) {
      seen.add(logits(trained, input));
    }
    for (String layer : cascade.layers()) {
      try (WeightCascade.Step step = cascade.open(layer, List.of("features"), 1)) {
        seen.add(logits(step.explainer(), input));
      }
    }
    assertThat(seen).doesNotHaveDuplicates();
  }

  private static String logits(Explainer explainer, ModelInput input) throws IOException {
    TargetChoice target = TargetChoice.parse("top1", Labels.none());
    return java.util.Arrays.toString(
        explainer.run(input, target).logits().orElseThrow().toFloats());
  }
}
