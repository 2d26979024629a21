package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.explain.OneConv;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayersCommandTest {
  @TempDir Path folder;

  @Test
  void layers_should_list_path_type_and_parameters() throws IOException {
    Invocation run = Invocation.of("layers", OneConv.model(folder));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            path   type        parameters
            .      OneConvNet
            conv1  Conv2d              20
            relu1  ReLU
            fc1    Linear              36
            relu2  ReLU
            5 modules, 56 parameters
            """);
  }

  @Test
  void input_shape_should_add_outputs_and_what_auto_means() throws IOException {
    Invocation run = Invocation.of("layers", OneConv.model(folder), "--input-shape", "1x1x4x4");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            """
            path   type        parameters  calls  output
            .      OneConvNet                  1  1x4
            conv1  Conv2d              20      1  1x2x2x2
            relu1  ReLU                        1  1x2x2x2
            fc1    Linear              36      1  1x4
            relu2  ReLU                        1  1x4
            5 modules, 56 parameters
            auto: relu1
            """);
  }

  @Test
  void operators_should_follow_the_modules_whose_code_they_are_in() throws IOException {
    Invocation run =
        Invocation.of("layers", OneConv.model(folder), "--operators", "--input-shape", "1x1x4x4");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            """
            path          type          parameters  calls  output
            .             OneConvNet                    1  1x4
            conv1         Conv2d                20      1  1x2x2x2
            relu1         ReLU                          1  1x2x2x2
            fc1           Linear                36      1  1x4
            relu2         ReLU                          1  1x4
            conv1/conv2d  _convolution                  1  1x2x2x2  also conv1/input
            relu1/relu    relu                          1  1x2x2x2
            ./view        view                          1  1x8      also ./input
            fc1/linear    linear                        1  1x4
            relu2/relu    relu                          1  1x4
            5 modules, 5 operators in their code, 56 parameters
            auto: relu1
            """);
  }

  @Test
  void json_should_hold_the_same() throws IOException {
    Invocation run =
        Invocation.of("layers", OneConv.model(folder), "--input-shape", "2x1x4x4", "--json");
    JsonNode root = new ObjectMapper().readTree(run.out());
    assertThat(root.get("parameters").asInt()).isEqualTo(56);
    assertThat(root.get("auto").asText()).isEqualTo("relu1");
    assertThat(root.get("rootOnly").isNull()).isTrue();
    JsonNode conv = root.get("modules").get(1);
    assertThat(conv.get("path").asText()).isEqualTo("conv1");
    assertThat(conv.get("type").asText()).isEqualTo("torch.nn.modules.conv.Conv2d");
    assertThat(conv.get("tensors").get(0).get("name").asText()).isEqualTo("weight");
    assertThat(conv.get("tensors").get(0).get("shape")).hasToString("[2,1,3,3]");
    assertThat(conv.get("calls").asInt()).isEqualTo(1);
    assertThat(conv.get("outputs").get(0).get("shape")).hasToString("[2,2,2,2]");
  }

  @Test
  void wrong_shape_should_be_wrong_usage() throws IOException {
    Invocation run = Invocation.of("layers", OneConv.model(folder), "--input-shape", "1x3x");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .startsWith("camhook: --input-shape: expected sizes such as 1x3x224x224, found '1x3x'");
  }

  @Test
  void shape_that_does_not_fit_should_fail_in_one_line() throws IOException {
    Path model = OneConv.model(folder);
    Invocation run = Invocation.of("layers", model, "--input-shape", "1x3x4x4");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith(
            "camhook: %s: the model cannot be run with inputs of shape [1, 3, 4, 4]: "
                .formatted(model))
        .contains("to have 1 channels, but got 3 channels")
        .hasLineCount(1);
  }

  @Test
  void missing_model_should_fail_in_one_line() {
    Path model = folder.resolve("nowhere.pt");
    Invocation run = Invocation.of("layers", model);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).isEqualTo("camhook: " + model + ": no such file or directory\n");
  }

  @Test
  void file_that_is_no_archive_should_fail_in_one_line() throws IOException {
    Path model = Files.writeString(folder.resolve("x.pt"), "not a zip");
    Invocation run = Invocation.of("layers", model);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).startsWith("camhook: x.pt: ").hasLineCount(1);
  }
}
