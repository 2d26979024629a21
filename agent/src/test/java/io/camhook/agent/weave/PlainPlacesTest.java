package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import app.nn.Scale;
import app.nn.Stack;
import app.nn.Wrapped;
import io.camhook.recording.Capture;
import org.junit.jupiter.api.Test;

/** Places of values in third-party libraries. */
class PlainPlacesTest {
  private static final String LAYERS =
      """
      models:
        - name: n
          class: app.nn.Wrapped$Twice
          input: argument 0.0
          output: return.second
          value: dup.data.asFloat
          layers: ["*"]
          capture: [input, activation, output]
          target: none
      """;

  @Test
  void members_of_results_and_roots_with_places_of_their_own_should_be_recorded() {
    String root =
        "    root: { class: app.nn.Wrapped$Net, forward: predict, input: 0, output: return }\n";
    try (WovenPlain woven = new WovenPlain(LAYERS + root)) {
      assertThat(new Wrapped.Net().predict(new float[] {1, -3})).containsExactly(4, -12);

      assertThat(woven.captured()).hasSize(1);
      Capture capture = woven.captured().get(0);
      assertThat(capture.tensors().get("input.0").toFloats()).containsExactly(1, -3);
      assertThat(capture.tensors().get("activation/first").toFloats()).containsExactly(2, -6);
      assertThat(capture.tensors().get("activation/second").toFloats()).containsExactly(4, -12);
      assertThat(capture.tensors().get("output.0").toFloats()).containsExactly(4, -12);
      assertThat(woven.messages)
          .containsExactly("1 of 1 captures written to a list, 0 dropped, 0 failed");
    }
  }

  @Test
  void root_that_returns_no_tensor_should_be_named_with_what_it_returns() {
    String root =
        "    root: { class: app.nn.Wrapped$Mute, forward: predict, input: 0, output: return }\n";
    try (WovenPlain woven = new WovenPlain(LAYERS + root)) {
      assertThat(new Wrapped.Mute().predict(new float[] {1})).isEqualTo("2.0");
      assertThat(new Wrapped.Mute().predict(new float[] {2})).isEqualTo("4.0");

      assertThat(woven.captured()).isEmpty();
      assertThat(woven.messages)
          .filteredOn(message -> message.contains("is not captured"))
          .containsExactly(
              "model n is not captured: its root's forward, app.nn.Wrapped$Mute.predict, returns"
                  + " java.lang.String, which is no tensor; name where the numbers are as value:"
                  + " or output:");
    }
  }

  @Test
  void layers_of_a_root_without_backward_should_be_gone_through_one_by_one() {
    String byLayers =
        """
        models:
          - name: n
            class: app.nn.Scale
            backward: backward
            root: { class: app.nn.Stack, backward: by layers }
            layers: ["*"]
        """;
    try (WovenPlain woven = new WovenPlain(byLayers)) {
      Scale first = new Scale(3);
      assertThat(new Stack(first, new Scale(5), new Scale(2)).forward(new float[] {1, 2}))
          .containsExactly(30, 60);

      Capture capture = woven.captured().get(0);
      // The score is output 1: after the layers come the factors 5 · 2, 2 and 1.
      assertThat(capture.tensors().get("gradient/layers.0").toFloats()).containsExactly(0, 10);
      assertThat(capture.tensors().get("gradient/layers.1").toFloats()).containsExactly(0, 2);
      assertThat(capture.tensors().get("gradient/layers.2").toFloats()).containsExactly(0, 1);
      assertThat(woven.messages)
          .containsExactly("1 of 1 captures written to a list, 0 dropped, 0 failed");
    }
  }

  @Test
  void layers_that_are_no_chain_should_be_said() {
    String byLayers =
        """
        models:
          - name: n
            class: app.nn.Scale
            backward: backward
            root: { class: app.nn.Wrapped$Residual, backward: by layers }
            layers: ["*"]
        """;
    try (WovenPlain woven = new WovenPlain(byLayers)) {
      // 3 x + 2 (3 x)
      assertThat(new Wrapped.Residual().forward(new float[] {1})).containsExactly(9);
      assertThat(woven.captured()).isEmpty();
      assertThat(woven.messages.get(0))
          .startsWith(
              "model n is not captured: backward: by layers is for layers that run one after"
                  + " another, and the root's output is not the output of second");
    }
  }
}
