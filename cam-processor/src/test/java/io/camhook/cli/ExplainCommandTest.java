package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.explain.OneConv;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {
  @TempDir Path folder;
  private Path model;
  private Path input;
  private Path out;

  @BeforeEach
  void files() throws IOException {
    model = OneConv.model(folder);
    input = OneConv.tensors(folder.resolve("ramp.safetensors"), Map.of("input", OneConv.input()));
    out = folder.resolve("out");
  }

  @Test
  void explain_should_write_values_gradients_and_maps_of_every_layer() throws IOException {
    Invocation run =
        Invocation.of(
            "explain", model, input, "-l", "conv1", "-l", "relu1", "-t", "class:0", "-m", "gradcam",
            "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .startsWith(
            "ramp: target class 0, score 54.00, probability 0.250; output 0 [1, 4], classes on axis"
                + " 1\n")
        .contains("  layer relu1: channels-first, 2 channels, map of 2x2\n")
        .contains("report: " + out.resolve("report.html").toUri() + "\n")
        .endsWith("1 input, 1 map, 1 overlay in " + out + "\n");
    Safetensors found = Safetensors.read(out.resolve("ramp.safetensors"));
    // sums of 3x3 windows of 0..15 are 45 54 81 90; minus 50 and minus 75
    Tensor a = found.tensors().get("activation/conv1");
    assertThat(a.shape()).containsExactly(1, 2, 2, 2);
    assertThat(a.toFloats()).containsExactly(-5, 4, 31, 40, -30, -21, 6, 15);
    assertThat(found.tensors().get("activation/relu1").toFloats())
        .containsExactly(0, 4, 31, 40, 0, 0, 6, 15);
    // the row of class 0 is 1 1 1 1 | 1 -1 -1 -1; the ReLU keeps what is positive
    assertThat(found.tensors().get("gradient/conv1").toFloats())
        .containsExactly(0, 1, 1, 1, 0, 0, -1, -1);
    assertThat(found.tensors().get("gradient/relu1").toFloats())
        .containsExactly(1, 1, 1, 1, 1, -1, -1, -1);
    // weights 3/4 and -1/2; 1 and -1/2
    assertThat(found.tensors().get("raw/gradcam/conv1").toFloats())
        .containsExactly(11.25f, 13.5f, 20.25f, 22.5f);
    assertThat(found.tensors().get("raw/gradcam/relu1").toFloats())
        .containsExactly(0, 4, 28, 32.5f);
    assertThat(found.tensors().get("heatmap/gradcam").shape()).containsExactly(4, 4);
    assertThat(found.tensors().get("logits").shape()).containsExactly(1, 4);
    assertThat(out.resolve("ramp.gradcam.png")).exists();
    assertThat(Files.readString(out.resolve("report.html"))).contains("ramp");
  }

  @Test
  void methods_that_run_the_model_again_should_run() throws IOException {
    Invocation run =
        Invocation.of(
            "explain",
            model,
            input,
            "-l",
            "relu1",
            "-t",
            "class:0",
            "-m",
            "scorecam,fullgrad,shapleycam,integrated-gradients",
            "--batch",
            "1",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    Map<String, Tensor> found = Safetensors.read(out.resolve("ramp.safetensors")).tensors();
    // from relu1 on the score is linear: no curvature, so that ShapleyCAM is HiResCAM's weight mean
    assertThat(found).containsKeys("raw/scorecam/relu1", "raw/shapleycam/relu1");
    // the score of class 0 is linear along the ray to 0 wherever no ReLU switches; complete at the
    // end
    assertThat(found.get("raw/integrated-gradients/input").shape()).containsExactly(4, 4);
    assertThat(found).containsKey("heatmap/fullgrad");
  }

  @Test
  void guided_backprop_should_clamp_at_the_relu() throws IOException {
    Invocation run =
        Invocation.of(
            "explain",
            model,
            input,
            "-l",
            "relu1",
            "-t",
            "class:0",
            "-m",
            "guided-backprop",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    // 1 1 1 1 | 1 -1 -1 -1 arrives at the ReLU, which keeps what is positive, 1 1 1 1 | 1 0 0 0,
    // and is open at 0 1 1 1 | 0 0 1 1. So three 3x3 windows of ones remain: all but the top left.
    assertThat(
            Safetensors.read(out.resolve("ramp.safetensors"))
                .tensors()
                .get("raw/guided-backprop/input")
                .toFloats())
        .containsExactly(0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1);
  }

  @Test
  void second_target_should_have_names_of_its_own() throws IOException {
    Invocation run = Invocation.of("explain", model, input, "-l", "relu1", "-t", "top2", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(Safetensors.read(out.resolve("ramp.safetensors")).tensors())
        .containsKeys("gradient@1/relu1", "raw@1/gradcam/relu1", "heatmap@1/gradcam");
    assertThat(out.resolve("ramp.gradcam@1.png")).exists();
  }

  @Test
  void no_method_and_no_target_should_extract_features() throws IOException {
    Invocation run =
        Invocation.of("explain", model, input, "-l", "*", "-m", "none", "-t", "none", "-o", out);
    assertThat(run.err()).isEmpty();
    Map<String, Tensor> found = Safetensors.read(out.resolve("ramp.safetensors")).tensors();
    assertThat(found)
        .containsKeys("activation/conv1", "activation/fc1", "activation/.")
        .doesNotContainKeys("gradient/conv1", "heatmap/gradcam");
  }

  @Test
  void features_should_not_run_what_lies_behind_the_last_layer() throws IOException {
    // 2 x 3 x 3 values after the convolution do not fit view(-1, 8) after the ReLU
    Path larger =
        OneConv.tensors(
            folder.resolve("larger.safetensors"),
            Map.of("input", Tensor.ofFloats(new float[25], 1, 1, 5, 5)));
    Invocation whole = Invocation.of("explain", model, larger, "-l", "relu1", "-o", out);
    assertThat(whole.status()).isEqualTo(1);
    assertThat(whole.err()).startsWith("camhook: larger: ").contains("cannot be run");
    Invocation run =
        Invocation.of(
            "explain", model, larger, "-l", "conv1,relu1", "-m", "none", "-t", "none", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(Safetensors.read(out.resolve("larger.safetensors")).tensors().keySet())
        .containsExactlyInAnyOrder("activation/conv1", "activation/relu1");
  }

  @Test
  void model_should_run_without_gradients_after_it_ran_with_them() {
    Invocation run =
        Invocation.of(
            "explain",
            model,
            input,
            input,
            input,
            "-l",
            "relu1",
            "-t",
            "class:0",
            "-m",
            "gradcam,ablationcam,scorecam,fullgrad,rise,integrated-gradients,occlusion",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
  }

  @Test
  void smoothing_and_aggregation_should_change_the_heatmap_alone() throws IOException {
    Map<String, Tensor> plain = explained("plain", "-l", "conv1,relu1", "-t", "class:0");
    Map<String, Tensor> augmented =
        explained("augmented", "-l", "conv1,relu1", "-t", "class:0", "--aug-smooth");
    Map<String, Tensor> fused =
        explained("fused", "-l", "conv1,relu1", "-t", "class:0", "--aggregate", "scaled-max");
    for (Map<String, Tensor> other : List.of(augmented, fused)) {
      assertThat(other.get("raw/gradcam/relu1").toFloats())
          .containsExactly(plain.get("raw/gradcam/relu1").toFloats());
      assertThat(other.get("heatmap/gradcam").toFloats())
          .isNotEqualTo(plain.get("heatmap/gradcam").toFloats());
    }
  }

  private Map<String, Tensor> explained(String name, Object... options) throws IOException {
    List<Object> arguments = new ArrayList<>(List.of("explain", model, input));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of("-o", folder.resolve(name)));
    Invocation run = Invocation.of(arguments.toArray());
    assertThat(run.err()).isEmpty();
    return Safetensors.read(folder.resolve(name).resolve("ramp.safetensors")).tensors();
  }

  @Test
  void similarity_should_be_that_to_an_earlier_output() throws IOException {
    explained("first", "-l", "relu1");
    Path first = folder.resolve("first").resolve("ramp.safetensors");
    explained("second", "-l", "relu1", "-t", "similarity:" + first);
    Safetensors second = Safetensors.read(folder.resolve("second").resolve("ramp.safetensors"));
    JsonNode target = new ObjectMapper().readTree(second.metadata().get("targets")).get(0);
    // the cosine of an output and itself
    assertThat(target.get("score").asDouble()).isCloseTo(1, within(1e-6));
  }

  @Test
  void finer_target_should_be_accepted() throws IOException {
    assertThat(explained("finer", "-l", "relu1", "-t", "finer:0"))
        .containsKeys("gradient/relu1", "heatmap/gradcam");
  }

  @Test
  void similarity_to_a_file_without_output_should_fail_in_one_line() {
    Invocation run = Invocation.of("explain", model, input, "-t", "similarity:" + input, "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("expected a tensor 'logits'").hasLineCount(1);
  }

  @Test
  void target_mask_should_need_an_output_with_positions() {
    Invocation run =
        Invocation.of(
            "explain", model, input, "-l", "relu1", "--target-mask", "predicted", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: ramp: a mask of the target needs an output of shape [N,classes,…] with"
                + " positions, found [1, 4]; leave the mask away\n");
  }

  @Test
  void unknown_aggregation_should_be_wrong_usage() {
    Invocation run = Invocation.of("explain", model, input, "--aggregate", "max", "-o", out);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .startsWith("camhook: --aggregate: expected mean, scaled-max, product, found 'max'");
  }

  @Test
  void metrics_should_be_printed_and_written_beside_randomcam() throws IOException {
    Invocation run =
        Invocation.of(
            "explain", model, input, "-l", "relu1", "--metrics", "deletion,confidence", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("method").contains("confidence-drop").contains("randomcam");
    JsonNode table = new ObjectMapper().readTree(out.resolve("metrics.json").toFile());
    assertThat(table.get("rows")).hasSize(2);
    assertThat(Files.readString(out.resolve("metrics.csv")))
        .startsWith(
            "method,confidence-drop,confidence-drop n,confidence-drop std,confidence-increase,");
    JsonNode curve = table.get("curves").get(0);
    assertThat(curve.get("metric").asText()).isEqualTo("deletion");
    assertThat(curve.get("points")).hasSize(11);
    assertThat(Files.readString(out.resolve("report.html")))
        .as("numbers of each input, to sort and plot by")
        .contains("[\"deletion of gradcam\",", "[\"confidence-drop of randomcam\",");
  }

  @Test
  void report_should_say_which_model_was_explained() throws Exception {
    Invocation.of("explain", model, input, "-l", "relu1", "-m", "gradcam", "-o", out);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(model));
    assertThat(Files.readString(out.resolve("report.html")))
        .contains("\"sha256\":\"" + HexFormat.of().formatHex(digest) + "\"")
        .contains("\"engine\":\"PyTorch 2.7.1\"", "\"path\":\"conv1\"");
  }

  @Test
  void concepts_should_be_written_with_what_the_model_says() throws IOException {
    byte[] grey = new byte[4 * 4 * 3];
    Path pictured =
        OneConv.tensors(
            folder.resolve("pictured.safetensors"),
            Map.of("input", OneConv.input(), "image", Tensor.ofBytes(grey, 4, 4, 3)));
    Invocation run =
        Invocation.of("explain", model, pictured, "-l", "relu1", "--concepts", "2", "-o", out);
    assertThat(run.err()).isEmpty();
    Map<String, Tensor> found = Safetensors.read(out.resolve("pictured.safetensors")).tensors();
    assertThat(found.get("concept/map/relu1").shape()).containsExactly(2, 2, 2);
    assertThat(found.get("concept/vector/relu1").shape()).containsExactly(2, 2);
    assertThat(found.get("concept/output/relu1").shape()).containsExactly(2, 4);
    assertThat(out.resolve("pictured.concepts.png")).exists();
    assertThat(Files.readString(out.resolve("report.html"))).contains("\"concepts\":{");
  }

  @Test
  void more_concepts_than_channels_should_fail_in_one_line() {
    Invocation run =
        Invocation.of("explain", model, input, "-l", "relu1", "--concepts", "3", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: ramp: concepts: layer relu1 of 2 channels and 4 positions has 1 to 2"
                + " concepts, found 3\n");
  }

  @Test
  void sanity_check_should_give_a_curve_from_the_output_to_the_input() throws IOException {
    Invocation run =
        Invocation.of(
            "explain",
            model,
            input,
            "-l",
            "relu1",
            "-m",
            "gradcam,eigencam",
            "--metrics",
            "sanity",
            "-o",
            out);
    assertThat(run.err()).isEmpty();
    JsonNode table = new ObjectMapper().readTree(out.resolve("metrics.json").toFile());
    JsonNode curves = table.get("curves");
    assertThat(curves.findValuesAsText("method"))
        .containsExactly("gradcam", "eigencam", "randomcam");
    assertThat(curves.get(0).findValuesAsText("at")).containsExactly("fc1", "conv1");
    // Eigen-CAM uses only A, which does not depend on what comes after the layer
    assertThat(curves.get(1).get("points").get(0).get("value").asDouble())
        .isCloseTo(1, within(1e-9));
    double mean = 0;
    for (JsonNode point : curves.get(1).get("points")) {
      mean += point.get("value").asDouble() / 2;
    }
    assertThat(table.get("rows").get(1).get("values").get("sanity").asDouble())
        .isCloseTo(mean, within(1e-9));
    assertThat(Files.readString(out.resolve("metrics-curves.csv")))
        .startsWith("metric,method,at,value,std\nsanity,gradcam,fc1,");
    assertThat(Files.readString(out.resolve("report.html"))).contains("\"curves\":[{");
  }

  @Test
  void unknown_layer_should_fail_and_name_the_closest() {
    Invocation run = Invocation.of("explain", model, input, "-l", "cnov1", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("camhook: " + model + ": no layer 'cnov1'; closest of 5: [conv1")
        .hasLineCount(1);
  }

  @Test
  void class_out_of_range_should_fail_in_one_line() {
    Invocation run =
        Invocation.of("explain", model, input, "-l", "relu1", "-t", "class:7", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo("camhook: ramp: class 7 is out of range: the model has 4 outputs, 0 to 3\n");
  }

  @Test
  void unknown_label_should_be_wrong_usage_and_name_the_nearest() throws IOException {
    Path labels = Files.writeString(folder.resolve("labels.txt"), "cat\ndog\ntiger\nfox\n");
    Invocation run =
        Invocation.of("explain", model, input, "-t", "label:tigre", "--labels", labels, "-o", out);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("camhook: no label 'tigre' among 4; nearest: tiger");
  }

  @Test
  void unknown_method_should_be_wrong_usage() {
    Invocation run = Invocation.of("explain", model, input, "-m", "gradcan", "-o", out);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("camhook: no CAM method 'gradcan'; did you mean [gradcam");
  }

  @Test
  void layer_without_extent_should_say_what_to_do() {
    Invocation run = Invocation.of("explain", model, input, "-l", "fc1", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("choose an earlier layer").hasLineCount(1);
  }

  @Test
  void broken_input_should_not_keep_the_others_from_being_explained() throws IOException {
    Path broken = Files.writeString(folder.resolve("broken.png"), "x");
    Invocation run = Invocation.of("explain", model, broken, input, "-l", "relu1", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).startsWith("camhook: broken: ").hasLineCount(1);
    assertThat(out.resolve("ramp.gradcam.png")).exists();
  }

  @Test
  void missing_output_directory_should_be_wrong_usage() {
    Invocation run = Invocation.of("explain", model, input);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("--out=DIR");
  }
}
