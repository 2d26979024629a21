package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorNameTest {
  @Test
  void names_should_be_those_of_the_format() {
    assertThat(TensorName.IMAGE).hasToString("image");
    assertThat(TensorName.input(0)).hasToString("input.0");
    assertThat(TensorName.output(2)).hasToString("output.2");
    assertThat(TensorName.CLASSIFIER_WEIGHT).hasToString("classifier.weight");
    assertThat(TensorName.activation(LayerOutput.of("layer4.1.conv2")))
        .hasToString("activation/layer4.1.conv2");
    assertThat(TensorName.activation(new LayerOutput("relu", 1, null)))
        .hasToString("activation/relu#1");
    assertThat(TensorName.gradient(0, new LayerOutput("lstm", 0, "0")))
        .hasToString("gradient/lstm:0");
    assertThat(TensorName.gradient(2, new LayerOutput("backbone", 3, "out")))
        .hasToString("gradient@2/backbone#3:out");
    assertThat(TensorName.activation(LayerOutput.of("."))).hasToString("activation/.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "image",
        "input.0",
        "output.12",
        "classifier.weight",
        "activation/.",
        "activation/layer4.1.conv2",
        "activation/relu#1",
        "gradient/lstm:0",
        "gradient@1/a/b",
        "gradient@2/backbone#3:out",
        "activation/acts.2nd act",
        "activation/odd%23name%3Ahere%25#4:a:b#c"
      })
  void name_should_survive_parsing(String name) {
    assertThat(TensorName.parse(name)).get().hasToString(name);
  }

  @Test
  void punctuation_in_module_names_should_not_be_taken_for_calls_and_entries() {
    LayerOutput odd = new LayerOutput("a#1:b%23", 0, null);
    assertThat(odd).hasToString("a%231%3Ab%2523");
    assertThat(LayerOutput.parse(odd.toString())).isEqualTo(odd);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "logits",
        "input.",
        "input.x",
        "input.-1",
        "gradient",
        "gradient@0/a",
        "gradient@x/a",
        "gradientX/a",
        "activation/",
        "activation/a#0",
        "activation/a#x",
        "activation/:0"
      })
  void other_names_should_be_none(String name) {
    assertThat(TensorName.parse(name)).isEmpty();
  }

  @Test
  void layer_output_should_need_a_path() {
    assertThatThrownBy(() -> LayerOutput.of(""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("needs a path");
  }
}
