package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.flow.AutoLayer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What {@code auto} means before the first input, from the operators in the code as in the agent,
 * and afterwards, from the shapes as in {@code camhook layers} and {@code explain}.
 */
class AutoLayerTest {

  /** Larger archives take longer and add nothing. */
  private static final long LARGEST = 500_000;

  @TestFactory
  List<DynamicTest> auto_should_mean_the_same_layer_before_and_after_a_pass() {
    return ReferenceCase.testsOrSkip(cases -> tests());
  }

  private static List<DynamicTest> tests() {
    Path archives = ReferenceCase.folder().resolveSibling("torchscript");
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(archives)) {
      for (Path file : files.filter(AutoLayerTest::isSmallTrace).sorted().toList()) {
        tests.add(DynamicTest.dynamicTest(String.valueOf(file.getFileName()), () -> compare(file)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tests;
  }

  /** Models in which the choice is harder than it looks; auto.json says why. */
  @TestFactory
  List<DynamicTest> auto_should_be_the_layer_that_the_reference_names() throws IOException {
    Path folder = ReferenceCase.folder().resolveSibling("auto");
    JsonNode facts = new ObjectMapper().readTree(folder.resolve("auto.json").toFile());
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file :
          files.filter(f -> f.toString().matches(".*\\.(pt|onnx)")).sorted().toList()) {
        String name = String.valueOf(file.getFileName());
        String layer = facts.get(name.replaceFirst("\\..*", "")).get("auto").asText();
        tests.add(
            DynamicTest.dynamicTest(
                name,
                () -> {
                  try (Explainer explainer = Explainer.load(file, List.of("auto"))) {
                    explainer.record(ModelInput.of("example", example(file)));
                    assertThat(explainer.layers()).containsExactly(layer);
                  }
                  if (name.endsWith(".pt")) {
                    assertThat(TorchScriptArchive.open(file).auto(null).map(AutoLayer::path))
                        .hasValue(layer);
                  }
                }));
      }
    }
    return tests;
  }

  @Test
  void texts_should_be_explained_at_the_embedding_of_their_tokens() throws IOException {
    Path file = ReferenceCase.folder().resolveSibling("auto").resolve("letters.traced.pt");
    try (Explainer explainer = Explainer.load(file, List.of(Explainer.EMBEDDING))) {
      explainer.record(ModelInput.of("example", example(file)));
      assertThat(explainer.layers()).containsExactly("letters");
    }
  }

  private static Tensor example(Path file) {
    if (file.toString().matches(".*(letters|spans|sparse).*")) {
      return Tensor.ofLongs(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5}, new long[] {1, 9});
    }
    int side = file.toString().contains("adaptive") ? 14 : 16;
    return Tensor.ofFloats(new float[3 * side * side], new long[] {1, 3, side, side});
  }

  private static boolean isSmallTrace(Path file) {
    try {
      return file.toString().endsWith(".traced.pt") && Files.size(file) <= LARGEST;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void compare(Path file) throws IOException {
    String name = String.valueOf(file.getFileName()).replaceFirst("\\..*", "");
    Map<String, Tensor> tensors =
        ReferenceCase.safetensors(file.resolveSibling(name + ".safetensors"));
    List<Tensor> inputs = new ArrayList<>();
    if (tensors.containsKey("input")) {
      inputs.add(tensors.get("input"));
    }
    for (int i = 0; tensors.containsKey("input" + i); i++) {
      inputs.add(tensors.get("input" + i));
    }
    String seen = Explainer.observe(ModelListing.read(file), inputs).auto();
    assertThat(TorchScriptArchive.open(file).auto(null).map(AutoLayer::path).orElse(null))
        .isEqualTo(seen);
  }

  /**
   * The last map before the class map, as of the archives with modules: {@code dec1} of a U-Net,
   * and {@code head.1} of a model with an auxiliary head that runs last.
   */
  @Test
  void frozen_segmentation_model_should_not_mean_a_class_map() throws IOException {
    Path cases = ReferenceCase.folder().resolveSibling("cases");
    assertThat(auto(cases.resolveSibling("torchscript").resolve("unet.inlined.pt"), null))
        .hasValue("relu#9");
    assertThat(auto(cases.resolve("two_heads.frozen.pt"), null)).hasValue("relu#2");
    assertThat(auto(cases.resolve("two_heads.frozen.pt"), "aux")).hasValue("relu#3");
  }

  private static Optional<String> auto(Path file, String output) throws IOException {
    return TorchScriptArchive.open(file).auto(output).map(AutoLayer::path);
  }

  /** The first norm of the last of three blocks, as of the archive with modules. */
  @Test
  void frozen_transformer_should_mean_the_first_norm_of_its_last_block() throws IOException {
    Path file = ReferenceCase.folder().resolveSibling("torchscript").resolve("vit.frozen.pt");
    assertThat(auto(file, null)).hasValue("layer_norm#4");
  }
}
