package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import app.nn.Calls;
import app.nn.Forms;
import app.nn.Layer;
import app.nn.Scale;
import app.nn.Stack;
import io.camhook.plain.PlainHook;
import io.camhook.plain.PlainModule;
import java.nio.FloatBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each call of each module of a plain network is seen once, in every form of call and tensor. */
class PlainWeavingTest {
  private static final String LAYERS =
      "models: [{ name: n, class: app.nn.Layer, backward: backward, capture: [] }]";
  private static final String ANNOTATED =
      "models: [{ name: n, class: app.nn.Calls$Module, capture: [] }]";

  @Test
  void layers_of_an_interface_should_be_seen_with_paths_inputs_and_gradients() {
    try (WovenPlain woven = new WovenPlain(LAYERS)) {
      List<String> events = woven.watch();
      Stack net = new Stack(new Scale(2), new Stack(new Scale(5)));
      net.forward(new float[] {1, 2});
      net.backward(new float[] {1, 0});

      assertThat(events)
          .containsExactly(
              "pre . (Stack) [1.0, 2.0]",
              "pre layers.0 (Scale) [1.0, 2.0]",
              "forward layers.0 (Scale) [1.0, 2.0] -> [2.0, 4.0]",
              "pre layers.1 (Stack) [2.0, 4.0]",
              "pre layers.1.layers.0 (Scale) [2.0, 4.0]",
              "forward layers.1.layers.0 (Scale) [2.0, 4.0] -> [10.0, 20.0]",
              "forward layers.1 (Stack) [2.0, 4.0] -> [10.0, 20.0]",
              "forward . (Stack) [1.0, 2.0] -> [10.0, 20.0]",
              "backward pre . (Stack) [1.0, 0.0]",
              "backward pre layers.1 (Stack) [1.0, 0.0]",
              "backward pre layers.1.layers.0 (Scale) [1.0, 0.0]",
              "backward layers.1.layers.0 (Scale) [1.0, 0.0] -> [5.0, 0.0]",
              "backward layers.1 (Stack) [1.0, 0.0] -> [5.0, 0.0]",
              "backward pre layers.0 (Scale) [5.0, 0.0]",
              "backward layers.0 (Scale) [5.0, 0.0] -> [10.0, 0.0]",
              "backward . (Stack) [1.0, 0.0] -> [10.0, 0.0]");
    }
  }

  @Test
  void super_forward_should_belong_to_the_call_of_the_override() {
    try (WovenPlain woven = new WovenPlain(LAYERS)) {
      List<String> events = woven.watch();
      new Calls.Shifted().forward(new float[] {1});
      assertThat(events)
          .containsExactly("pre . (Shifted) [1.0]", "forward . (Shifted) [1.0] -> [3.0]");
    }
  }

  @Test
  void overloads_should_be_one_call_and_a_signature_should_pick_one() {
    try (WovenPlain woven = new WovenPlain(ANNOTATED)) {
      List<String> events = woven.watch();
      new Calls.Overloads().forward(new float[] {2});
      assertThat(events)
          .containsExactly("pre . (Overloads) [2.0]", "forward . (Overloads) [2.0] -> [6.0]");
    }
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Calls$Over*, capture: [],"
                + " forward: 'forward(float[], float, boolean)' }]")) {
      List<String> events = woven.watch();
      new Calls.Overloads().forward(new float[] {2}, 4);
      assertThat(events)
          .containsExactly("pre . (Overloads) [2.0]", "forward . (Overloads) [2.0] -> [8.0]");
    }
  }

  @Test
  void recursion_should_be_calls_of_their_own() {
    try (WovenPlain woven = new WovenPlain(ANNOTATED)) {
      List<String> events = woven.watch();
      new Calls.Recursive().forward(new float[] {0}, 2);
      assertThat(events)
          .containsExactly(
              "pre . (Recursive) [0.0]",
              "pre . (Recursive) [1.0]",
              "pre . (Recursive) [2.0]",
              "forward . (Recursive) [2.0] -> [2.0]",
              "forward . (Recursive) [1.0] -> [2.0]",
              "forward . (Recursive) [0.0] -> [2.0]");
    }
  }

  @Test
  void bridges_defaults_final_and_private_methods_should_be_seen_once() {
    try (WovenPlain woven = new WovenPlain(ANNOTATED)) {
      List<String> events = woven.watch();
      Calls.Generic<double[]> generic = new Calls.Doubles();
      generic.forward(new double[] {3});
      new Calls.Inherits().forward(new float[] {4});
      new Calls.Private().run(new float[] {1});
      assertThat(events)
          .containsExactly(
              "pre . (Doubles) [3.0]",
              "forward . (Doubles) [3.0] -> [6.0]",
              "pre . (Inherits) [4.0]",
              "forward . (Inherits) [4.0] -> [8.0]",
              "pre . (Private) [1.0]",
              "forward . (Private) [1.0] -> [5.0]");
    }
  }

  @Test
  void exception_should_pass_through_and_leave_no_call_behind() {
    try (WovenPlain woven = new WovenPlain(ANNOTATED)) {
      List<String> events = woven.watch();
      assertThatThrownBy(() -> new Calls.Throwing().forward(new float[] {-1}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("negative");
      new Calls.Catching().forward(new float[] {7});
      assertThat(events)
          .containsExactly(
              "pre . (Throwing) [-1.0]",
              "pre . (Catching) [7.0]",
              "pre inner (Throwing) [-1.0]",
              "pre inner (Throwing) [7.0]",
              "forward inner (Throwing) [7.0] -> [7.0]",
              "forward . (Catching) [7.0] -> [7.0]");
    }
  }

  @Test
  void objects_should_be_read_through_the_named_members() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$OverMatrices, backward: backward, capture: [],"
                + " value: numbers(), shape: sizes }]")) {
      List<String> shapes = new java.util.ArrayList<>();
      woven.networks.attach(
          0,
          List.of("*"),
          new PlainHook() {
            @Override
            public @Nullable Object afterBackward(
                PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
              shapes.add(module.read(gradInput) + " " + module.read(gradOutput));
              return null;
            }
          });
      Forms.OverMatrices net = new Forms.OverMatrices();
      net.forward(new Forms.Matrix(new double[] {1, 2, 3, 4}, 2, 2));
      net.backward(new Forms.Matrix(new double[] {1, 2}, 1, 2));
      assertThat(shapes).containsExactly("F64[2, 2] F64[1, 2]");
    }
  }

  @Test
  void nested_arrays_buffers_arguments_and_fields_should_be_read_where_they_are() {
    try (WovenPlain woven =
        new WovenPlain("models: [{ name: n, class: app.nn.Forms$Nested, capture: [] }]")) {
      List<String> events = woven.watch();
      new Forms.Nested().forward(new float[][] {{1, 2}, {3, 4}});
      assertThat(events).last().isEqualTo("forward . (Nested) [1.0, 2.0, 3.0, 4.0] -> [1.0, 3.0]");
    }
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$Buffers, capture: [], input: 0, output: 1"
                + " }]")) {
      List<String> events = woven.watch();
      new Forms.Buffers().forward(FloatBuffer.wrap(new float[] {1, 2}), FloatBuffer.allocate(2));
      assertThat(events).last().isEqualTo("forward . (Buffers) [1.0, 2.0] -> [10.0, 20.0]");
    }
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$Flat, capture: [], backward: backward,"
                + " input: argument 1, gradInput: field dx }]")) {
      List<String> events = woven.watch();
      Forms.Flat net = new Forms.Flat();
      net.forward(9, new float[] {1, 2});
      net.backward(new float[] {3, 4});
      assertThat(events)
          .contains(
              "forward . (Flat) [1.0, 2.0] -> [1.0, 2.0]",
              "backward . (Flat) [3.0, 4.0] -> [3.0, 4.0]");
    }
  }

  @Test
  void shape_of_a_flat_array_should_be_a_field_of_the_layer() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$Flat, input: argument 1, shape: outputShape,"
                + " capture: [output] }]")) {
      new Forms.Flat().forward(0, new float[] {1, 2, 3, 4, 5, 6});
      assertThat(woven.captured().get(0).tensors().get("output.0")).hasToString("F32[2, 3]");
    }
  }

  @Test
  void class_should_be_found_by_its_name_its_interface_and_its_annotation() {
    for (String type :
        List.of("app.nn.Calls$Overrides", "app.nn.Calls$With*", "app.nn.Calls$Module")) {
      try (WovenPlain woven =
          new WovenPlain("models: [{ name: n, class: %s, capture: [] }]".formatted(type))) {
        List<String> events = woven.watch();
        new Calls.Overrides().forward(new float[] {4});
        assertThat(events)
            .as(type)
            .containsExactly("pre . (Overrides) [4.0]", "forward . (Overrides) [4.0] -> [9.0]");
      }
    }
  }

  @Test
  void returned_values_should_replace_arguments_and_results() {
    try (WovenPlain woven = new WovenPlain(LAYERS)) {
      woven.networks.attach(
          0,
          List.of("."),
          new PlainHook() {
            @Override
            public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
              return new float[] {10};
            }

            @Override
            public @Nullable Object afterForward(
                PlainModule module, @Nullable Object input, @Nullable Object output) {
              return new float[] {((float[]) output)[0] + 1};
            }

            @Override
            public @Nullable Object beforeBackward(
                PlainModule module, @Nullable Object gradOutput) {
              return new float[] {100};
            }

            @Override
            public @Nullable Object afterBackward(
                PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
              return new float[] {-((float[]) gradInput)[0]};
            }
          });
      Layer net = new Scale(3);
      assertThat(net.forward(new float[] {1})).containsExactly(31); // 10 · 3 + 1
      assertThat(net.backward(new float[] {1})).containsExactly(-300); // −(100 · 3)
    }
  }

  @Test
  void output_argument_should_be_overwritten_in_place() {
    try (WovenPlain woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$Buffers, capture: [], input: 0, output: 1"
                + " }]")) {
      woven.networks.attach(
          0,
          List.of("*"),
          new PlainHook() {
            @Override
            public @Nullable Object afterForward(
                PlainModule module, @Nullable Object input, @Nullable Object output) {
              return FloatBuffer.wrap(new float[] {7, 8});
            }
          });
      FloatBuffer y = FloatBuffer.allocate(2);
      new Forms.Buffers().forward(FloatBuffer.wrap(new float[] {1, 2}), y);
      assertThat(y.array()).containsExactly(7, 8);
    }
  }

  @Test
  void hook_that_throws_should_reach_the_application_and_leave_the_next_call_whole() {
    try (WovenPlain woven = new WovenPlain(LAYERS)) {
      boolean[] armed = {true};
      woven.networks.attach(
          0,
          List.of("layers.0"),
          new PlainHook() {
            @Override
            public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
              if (armed[0]) {
                throw new IllegalStateException("mine");
              }
              return null;
            }
          });
      Stack net = new Stack(new Scale(2));
      assertThatThrownBy(() -> net.forward(new float[] {1})).hasMessage("mine");
      armed[0] = false;
      List<String> events = woven.watch();
      assertThat(net.forward(new float[] {1})).containsExactly(2);
      assertThat(events)
          .containsExactly(
              "pre . (Stack) [1.0]",
              "pre layers.0 (Scale) [1.0]",
              "forward layers.0 (Scale) [1.0] -> [2.0]",
              "forward . (Stack) [1.0] -> [2.0]");
      assertThat(woven.messages).isEmpty();
    }
  }

  @Test
  void removed_weaving_should_leave_the_class_as_it_was() {
    List<String> events;
    try (WovenPlain woven = new WovenPlain(LAYERS)) {
      events = woven.watch();
    }
    new Scale(1).forward(new float[] {1});
    assertThat(events).isEmpty();
  }
}
