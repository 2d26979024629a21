package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.explain.OneConv;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code explain} and {@code layers} of the packaged jar on a TorchScript model. */
class ExplainIT {
  private static final float[] NUMBERS_BY_HAND = {0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1};

  @TempDir Path folder;
  private PackagedCommand camhook;
  private Path model;
  private Path input;
  private Path out;

  @BeforeEach
  void write_model_and_input() throws IOException {
    camhook = new PackagedCommand(PackagedCommand.JAR, folder);
    model = OneConv.model(folder);
    input = OneConv.tensors(folder.resolve("ramp.safetensors"), Map.of("input", OneConv.input()));
    out = folder.resolve("out");
  }

  @Test
  void explain_should_write_the_files_of_every_method() throws Exception {
    Invocation run =
        camhook.run(
            "explain",
            model,
            input,
            "-l",
            "relu1",
            "-t",
            "class:0",
            "-m",
            "gradcam",
            "-m",
            "layercam",
            "-m",
            "guided-gradcam",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            ramp: target class 0, score 54.00, probability 0.250; output 0 [1, 4], classes on axis 1
              layer relu1: channels-first, 2 channels, map of 2x2
            report: %s
            1 input, 3 maps, 3 overlays in %s
            """
                .formatted(out.resolve("report.html").toUri(), out));
    assertThat(out)
        .isDirectoryContaining("glob:**/ramp.gradcam.png")
        .isDirectoryContaining("glob:**/ramp.layercam.png")
        .isDirectoryContaining("glob:**/ramp.guided-gradcam.png");
    assertThat(Files.readString(out.resolve("report.html"))).contains("ramp");
    Map<String, Tensor> found = ReferenceCase.safetensors(out.resolve("ramp.safetensors"));
    assertThat(found)
        .containsKeys("logits", "activation/relu1", "heatmap/gradcam", "heatmap/layercam");
    // As worked out in ExplainCommandTest: A is 0 4 31 40 | 0 0 6 15, g is 1 1 1 1 | 1 -1 -1 -1.
    assertThat(found.get("gradient/relu1").toFloats()).containsExactly(1, 1, 1, 1, 1, -1, -1, -1);
    assertThat(found.get("raw/gradcam/relu1").toFloats()).containsExactly(0, 4, 28, 32.5f);
    // ReLU(g) is 1 1 1 1 | 1 0 0 0, so that A of the first channel remains.
    assertThat(found.get("raw/layercam/relu1").toFloats()).containsExactly(0, 4, 31, 40);
    float[] guided = found.get("raw/guided-gradcam/input").toFloats();
    for (int row = 0; row < 4; row++) {
      for (int column = 0; column < 4; column++) {
        int at = row * 4 + column;
        assertThat((double) guided[at])
            .isCloseTo(NUMBERS_BY_HAND[at] * heat(row, column), within(1e-5));
      }
    }
  }

  @Test
  void frozen_archive_should_have_the_maps_of_the_scripted_one() throws Exception {
    Path reference = Path.of(System.getProperty("camhook.reference", "reference"), "torchscript");
    assumeTrue(Files.isDirectory(reference), "no reference data in " + reference);
    Path picture = reference.resolve("resnet_inlined.safetensors");
    Path frozen = reference.resolve("resnet_inlined.frozen.pt");
    Invocation run = camhook.run("explain", frozen, picture, "-m", "gradcam", "-o", out);
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("layer relu#8: channels-first, 48 channels, map of 2x2");
    assertThat(Files.readString(out.resolve("report.html"))).contains("relu#8");
    float[] map =
        ReferenceCase.safetensors(out.resolve("resnet_inlined.safetensors"))
            .get("raw/gradcam/relu#8")
            .toFloats();
    Path scripted = reference.resolve("resnet_inlined.scripted.pt");
    camhook.run("explain", scripted, picture, "-m", "gradcam", "-l", "layer4", "-o", out);
    assertThat(map)
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(
            ReferenceCase.safetensors(out.resolve("resnet_inlined.safetensors"))
                .get("raw/gradcam/layer4")
                .toFloats());
  }

  /** The Grad-CAM 0 4 28 32.5, from 0 to 1, as four by four: pixel centres lie at 0 ¼ ¾ 1. */
  private static double heat(int row, int column) {
    double[] at = {0, 0.25, 0.75, 1};
    double above = 4 * at[column];
    double below = 28 * (1 - at[column]) + 32.5 * at[column];
    return (above * (1 - at[row]) + below * at[row]) / 32.5;
  }

  @Test
  void no_method_and_no_target_should_extract_features() throws Exception {
    Invocation run =
        camhook.run("explain", model, input, "-l", "*", "-m", "none", "-t", "none", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    Map<String, Tensor> found = ReferenceCase.safetensors(out.resolve("ramp.safetensors"));
    assertThat(found.get("activation/conv1").toFloats())
        .containsExactly(-5, 4, 31, 40, -30, -21, 6, 15);
    assertThat(found.keySet()).noneMatch(key -> key.startsWith("gradient"));
  }

  /** The tokenizer's natives come with the command. */
  @Test
  void texts_should_be_explained_in_words() throws Exception {
    Path samples = Path.of("..", "samples");
    Path sentiment = samples.resolve("src/main/resources/io/camhook/samples/sentiment");
    Invocation run =
        camhook.run(
            "explain",
            sentiment.resolve("sentiment.onnx"),
            samples.resolve("texts"),
            "--tokenizer",
            sentiment.resolve("tokenizer.json"),
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .containsPattern("film: target class 1, .*")
        .containsPattern("hirescam: wonderful \\+")
        .contains("4 inputs, 12 maps");
  }

  @Test
  void agent_should_be_at_work_where_a_model_runs() throws Exception {
    Invocation run =
        camhook.run("explain", model, input, "-l", "relu1", "-m", "none", "-v", "-o", out);
    assertThat(run.status()).isZero();
    assertThat(run.err().lines())
        .contains(
            "camhook: instruments ai.djl.pytorch.jni.JniUtils", // loads the archive
            "camhook: instruments ai.djl.pytorch.jni.IValueUtils", // runs it
            "camhook: instruments ai.djl.nn.AbstractBaseBlock")
        .allMatch(line -> line.startsWith("camhook: instruments "));
  }

  @Test
  void byte_buddy_should_not_start_where_no_model_runs() throws Exception {
    List<String> classes = List.of("-Xlog:class+load=info:stderr");
    for (Invocation run :
        List.of(
            camhook.run(classes, "--help"),
            camhook.run(classes, "layers", model),
            camhook.run(classes, "verify", TinyRecording.write(folder.resolve("recording"))))) {
      assertThat(run.status()).isZero();
      assertThat(run.err())
          .contains("io.camhook.agent.LauncherAgent")
          .doesNotContain("net.bytebuddy", "ai.djl.engine");
    }
  }

  @Test
  void layers_should_list_what_a_pass_shows_as_json() throws Exception {
    Invocation run = camhook.run("layers", model, "--input-shape", "1x1x4x4", "--json");
    assertThat(run.err()).isEmpty();
    JsonNode root = new ObjectMapper().readTree(run.out());
    assertThat(root.get("auto").asText()).isEqualTo("relu1");
    assertThat(root.get("modules").get(1).get("outputs").get(0).get("shape"))
        .hasToString("[1,2,2,2]");
  }

  @Test
  void heatmaps_should_be_those_of_pytorch() throws Exception {
    ReferenceCase one = ReferenceCase.named("cifar_resnet20_dog_cat");
    Path cams = ReferenceCase.folder();
    Invocation run =
        camhook.run(
            "explain",
            cams.resolve(one.doc().get("archive").asText()),
            cams.resolve(one.name() + ".safetensors"),
            "-l",
            one.layerNames().get(0),
            "-t",
            "class:" + one.targets().get(0),
            "-m",
            "gradcam,layercam,hirescam,ablationcam",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    Map<String, Tensor> found = ReferenceCase.safetensors(out.resolve(one.name() + ".safetensors"));
    for (Map.Entry<String, String> each :
        Map.of(
                "gradcam", "GradCAM",
                "layercam", "LayerCAM",
                "hirescam", "HiResCAM",
                "ablationcam", "AblationCAM")
            .entrySet()) {
      FloatMap expected = one.map("final/" + each.getValue(), 0);
      float[] values = found.get("heatmap/" + each.getKey()).toFloats();
      // another libtorch rounds differently; heatmaps go from 0 to 1
      assertThat(Maps.difference(FloatMap.of(values, expected.shape()), expected))
          .as(each.getKey())
          .isLessThan(1e-3);
    }
  }
}
