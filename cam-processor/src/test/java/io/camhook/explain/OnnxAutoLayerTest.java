package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What {@code auto} means in an ONNX graph; {@code layers} marks the layer that {@code explain}
 * uses.
 */
class OnnxAutoLayerTest {
  private static Path model(String name) {
    return ReferenceCase.folder().resolveSibling("onnx").resolve(name + ".onnx");
  }

  private static List<Tensor> zeros(ModelListing listing) {
    List<Tensor> inputs = new ArrayList<>();
    for (long[] shape : listing.inputShapes()) {
      int size = 1;
      for (long each : shape) {
        size *= (int) each;
      }
      inputs.add(Tensor.ofFloats(new float[size], shape));
    }
    return inputs;
  }

  /**
   * Pools: their input. Transformers: the first norm of the last of three blocks. A segmentation
   * model: the input of its classifier, not its class map. A recurrent one: the value before its
   * recurrent layers.
   */
  private static final Map<String, String> EXPECTED =
      Map.ofEntries(
          Map.entry("resnet_basic.l17", "layer4"),
          Map.entry("resnet_basic.d18", "layer4"),
          Map.entry("densenet.l17", "/Relu_output_0"),
          Map.entry("mobilenet_v3_small.l17", "features"),
          Map.entry("mobilenet_v3_small.d18", "features"),
          Map.entry("shufflenet_v2.l17", "conv5"),
          Map.entry("gap_linear.l17", "features"),
          Map.entry("conv1d.l17", "features"),
          Map.entry("swin.l17", "permute"),
          Map.entry("vit.l17", "encoder.layers.encoder_layer_2.ln_1"),
          Map.entry("vit.d18", "encoder.layers.encoder_layer_2.ln_1"),
          Map.entry("unet.l17", "dec1"),
          Map.entry("unet.d18", "dec1"),
          Map.entry("squeezenet1_1.l17", "classifier.2"),
          Map.entry("recurrent.l17", "/Relu_output_0"));

  /** The models that this checkout has. */
  static Stream<Arguments> models() {
    return EXPECTED.entrySet().stream()
        .filter(each -> Files.exists(model(each.getKey())))
        .sorted(Map.Entry.comparingByKey())
        .map(each -> Arguments.of(each.getKey(), each.getValue()));
  }

  @ParameterizedTest
  @MethodSource("models")
  void auto_should_be_the_last_layer_with_positions(String name, String layer) throws IOException {
    Path file = model(name);
    ModelListing listing = ModelListing.read(file);
    List<Tensor> inputs = zeros(listing);
    assertThat(Explainer.observe(listing, inputs).auto()).isEqualTo(layer);
    try (Explainer explainer = Explainer.load(file, List.of("auto"))) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < inputs.size(); i++) {
        names.add("input" + i);
      }
      explainer.record(new ModelInput("zeros", inputs, names, null, null, List.of()));
      assertThat(explainer.layers()).containsExactly(layer);
      assertThat(explainer.notices())
          .hasSize(name.startsWith("squeezenet") ? 1 : 0)
          .allMatch(
              notice -> notice.startsWith("auto is 'classifier.2', after which only pooling"));
    }
  }
}
