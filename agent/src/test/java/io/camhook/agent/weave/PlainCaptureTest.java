package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import app.nn.Forms;
import app.nn.Pooled;
import app.nn.Scale;
import app.nn.Stack;
import io.camhook.recording.Capture;
import io.camhook.recording.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is recorded of a plain network, and that recording leaves no trace in it. */
class PlainCaptureTest {
  private static final String POOLED =
      """
      models:
        - name: pooled
          class: app.nn.Pooled$Part
          root: app.nn.Pooled
          backward: backward
          layers: %s
          target: %s
      """;
  private static final float[][][] PICTURE = {{{4, -8}, {0, 8}}};

  @Test
  void capture_should_hold_activation_gradient_and_classifier_row_of_the_winning_class() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("features", "top1"))) {
      Pooled net = new Pooled();
      // Means (4+8)/4 = 3 and 8/4 = 2; scores 3·3 + 2 = 11 and −2·3 + 5·2 = 4.
      assertThat(net.forward(PICTURE)).containsExactly(11, 4);

      Capture capture = woven.captured().get(0);
      assertThat(capture.tensors().keySet())
          .containsExactly(
              "image", "output.0", "activation/features", "gradient/features", "classifier.weight");
      assertThat(capture.tensors().get("output.0")).hasToString("F32[1, 2]");
      assertThat(capture.tensors().get("activation/features")).hasToString("F32[1, 2, 2, 2]");
      assertThat(capture.tensors().get("activation/features").toFloats())
          .containsExactly(4, 0, 0, 8, 0, 8, 0, 0);
      // ∂score₀/∂A_chw = w₀c / (H·W) = 3/4 and 1/4.
      assertThat(capture.tensors().get("gradient/features").toFloats())
          .containsExactly(.75f, .75f, .75f, .75f, .25f, .25f, .25f, .25f);
      assertThat(capture.tensors().get("classifier.weight").toFloats()).containsExactly(3, 1);
      assertThat(capture.targets()).containsExactly(new Target(0, 0, 0, null, 11));
      // Softmax of (11, 4): 1 / (1 + e⁻⁷).
      assertThat(capture.topK().get(0).get(0).probability())
          .isEqualTo(1 / (1 + Math.exp(-7)), within(1e-12));
      // Spread from −8 … 8 to 0 … 255: 4 → 191, −8 → 0, 0 → 128, 8 → 255, each three times.
      assertThat(capture.tensors().get("image")).hasToString("U8[2, 2, 3]");
      assertThat(capture.tensors().get("image").toFloats())
          .containsExactly(191, 191, 191, 0, 0, 0, 128, 128, 128, 255, 255, 255);
      assertThat(woven.messages).noneMatch(message -> message.contains("could not"));
    }
  }

  @Test
  void gradients_should_leave_the_network_as_its_forward_left_it() {
    Pooled plain = new Pooled();
    plain.forward(PICTURE);
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("auto", "top2"))) {
      Pooled net = new Pooled();
      net.forward(PICTURE);
      assertThat(net.state()).isEqualTo(plain.state()).isEqualTo("0 0.0 1");
      // The application's own backward finds what it expects.
      plain.backward(new float[] {1, 0});
      net.backward(new float[] {1, 0});
      assertThat(net.state()).isEqualTo(plain.state()).isEqualTo("1 3.0 0");

      Capture capture = woven.captured().get(0);
      assertThat(capture.tensors()).containsKeys("gradient/features", "gradient@1/features");
      // Class 1: −2/4 and 5/4.
      assertThat(capture.tensors().get("gradient@1/features").toFloats())
          .containsExactly(-.5f, -.5f, -.5f, -.5f, 1.25f, 1.25f, 1.25f, 1.25f);
      assertThat(capture.tensors().get("classifier.weight").toFloats())
          .containsExactly(3, 1, -2, 5);
    }
  }

  @Test
  void module_called_twice_should_have_a_number_in_its_name_and_its_own_gradient() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Layer, backward: backward, layers: '*' }]")) {
      Scale shared = new Scale(3);
      new Stack(shared, new Scale(5), shared).forward(new float[] {1, 2});

      Capture capture = woven.captured().get(0);
      assertThat(capture.tensors().get("activation/layers.0").toFloats()).containsExactly(3, 6);
      assertThat(capture.tensors().get("activation/layers.0#1").toFloats()).containsExactly(45, 90);
      // The score is output 1. The factors 5 and 3 come after the first call, and none after the
      // last.
      assertThat(capture.tensors().get("gradient/layers.0").toFloats()).containsExactly(0, 15);
      assertThat(capture.tensors().get("gradient/layers.0#1").toFloats()).containsExactly(0, 1);
      assertThat(woven.models).singleElement().satisfies(m -> assertThat(m.modules()).hasSize(3));
    }
  }

  @Test
  void network_without_backward_should_be_recorded_without_gradients() {
    try (WovenPlain woven =
        new WovenPlain("models: [{ name: n, class: app.nn.Layer, layers: '*' }]")) {
      new Stack(new Scale(3)).forward(new float[] {1});
      assertThat(woven.captured().get(0).tensors().keySet())
          .containsExactly("output.0", "activation/layers.0");
    }
  }

  @Test
  void backward_that_cannot_be_called_should_be_said_and_the_application_go_on() {
    try (WovenPlain woven =
        new WovenPlain(
            POOLED.formatted("features", "top1").replace("backward: backward", "backward: back"))) {
      assertThat(new Pooled().forward(PICTURE)).containsExactly(11, 4);
      assertThat(woven.captured()).isEmpty();
      assertThat(woven.messages.get(0))
          .contains("expected in app.nn.Pooled a method back that takes the output's gradient");
      assertThat(woven.messages)
          .last()
          .isEqualTo(
              "0 of 1 captures written to a list, 0 dropped, 1 failed (pass could not be captured:"
                  + " 1)");
    }
  }

  @Test
  void class_that_the_network_does_not_have_should_be_said() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("features", "class:7"))) {
      new Pooled().forward(PICTURE);
      assertThat(woven.captured()).isEmpty();
      assertThat(woven.messages)
          .contains(
              "model pooled is not captured: target class:7: the model has the classes 0 to 1");
    }
  }

  @Test
  void layer_that_matches_nothing_should_be_a_warning_with_the_closest_paths() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("feature", "top1"))) {
      new Pooled().forward(PICTURE);
      new Pooled().forward(PICTURE);
      woven.captured();
      assertThat(woven.messages)
          .containsOnlyOnce(
              "model pooled: layer 'feature' matches none of its 3 modules; closest: [features,"
                  + " head, .]");
    }
  }

  @Test
  void dry_run_should_say_where_it_would_hook_and_record_nothing() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("auto", "top1") + "dryRun: true")) {
      new Pooled().forward(PICTURE);
      new Pooled().forward(PICTURE);
      assertThat(woven.captured()).isEmpty();
      assertThat(woven.messages)
          .containsExactly("dry run: model pooled would be hooked at [features]");
    }
  }

  @Test
  void rate_of_zero_should_record_nothing() {
    try (WovenPlain woven =
        new WovenPlain(POOLED.formatted("features", "top1") + "sampling: { rate: 0 }")) {
      new Pooled().forward(PICTURE);
      assertThat(woven.captured()).isEqualTo(List.of());
    }
  }

  @Test
  void flat_input_should_be_a_picture_of_the_configured_shape() {
    // planes of 1×2: red 10 20, green 30 40, blue 50 60
    float[] picture = {10, 20, 30, 40, 50, 60};
    for (String shape : List.of("3x1x2", "inputSizes()")) {
      try (WovenPlain woven =
          new WovenPlain(
              "models: [{ name: n, class: app.nn.Forms$FlatPicture, inputShape: %s,"
                      .formatted(shape)
                  + " capture: [image, input] }]")) {
        new Forms.FlatPicture().forward(picture);
        Capture capture = woven.captured().get(0);
        assertThat(capture.tensors().get("input.0")).hasToString("F32[1, 3, 1, 2]");
        assertThat(capture.tensors().get("image")).hasToString("U8[1, 2, 3]");
        assertThat(capture.tensors().get("image").toFloats())
            .containsExactly(10, 30, 50, 20, 40, 60);
        assertThat(woven.messages).noneMatch(message -> message.contains("could not"));
      }
    }
  }

  @Test
  void flat_input_of_another_size_should_be_said() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$FlatPicture, inputShape: 3x2x2,"
                + " capture: [image, output] }]")) {
      new Forms.FlatPicture().forward(new float[6]);
      assertThat(woven.captured().get(0).tensors()).containsOnlyKeys("output.0");
      assertThat(woven.messages)
          .anyMatch(m -> m.endsWith("shape [3, 2, 2] has 12 elements, the array has 6"));
    }
  }

  @Test
  void shape_member_that_is_not_there_should_be_said() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$FlatPicture, inputShape: size,"
                + " capture: [image, output] }]")) {
      new Forms.FlatPicture().forward(new float[6]);
      woven.captured();
      assertThat(woven.messages)
          .anyMatch(
              m ->
                  m.endsWith(
                      "inputShape: expected a field or method size in app.nn.Forms$FlatPicture,"
                          + " found none"));
    }
  }

  @Test
  void loss_should_record_the_gradients_of_the_applications_own_backward() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("features", "loss"))) {
      Pooled net = new Pooled();
      net.forward(PICTURE);
      assertThat(net.state()).as("no backward of camhook's own").isEqualTo("0 0.0 1");
      net.forward(PICTURE);
      net.backward(new float[] {.5f, -1});
      net.backward(new float[] {.5f, -1});

      List<Capture> captures = woven.captured();
      assertThat(captures).hasSize(2);
      assertThat(captures.get(0).tensors().keySet())
          .as("no backward came")
          .containsExactly("image", "output.0", "activation/features");
      // (½·3 + (−1)·(−2)) / 4 and (½·1 + (−1)·5) / 4
      assertThat(captures.get(1).tensors().get("gradient/features").toFloats())
          .containsExactly(.875f, .875f, .875f, .875f, -1.125f, -1.125f, -1.125f, -1.125f);
      assertThat(captures.get(1).targets()).isEmpty();
      assertThat(captures.get(1).extra())
          .containsEntry("gradient", "of the application's own backward");
      assertThat(woven.messages).noneMatch(message -> message.contains("could not"));
    }
  }

  @Test
  void loss_that_goes_backward_layer_by_layer_should_be_recorded_too() {
    try (WovenPlain woven = new WovenPlain(POOLED.formatted("features", "loss"))) {
      Pooled net = new Pooled();
      net.forward(PICTURE);
      net.backwardByLayers(new float[] {1, 0});
      assertThat(woven.captured().get(0).tensors().get("gradient/features").toFloats())
          .containsExactly(.75f, .75f, .75f, .75f, .25f, .25f, .25f, .25f);
    }
  }
}
