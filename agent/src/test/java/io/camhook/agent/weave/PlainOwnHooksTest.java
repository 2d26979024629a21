package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import app.nn.Forms;
import app.nn.Layer;
import app.nn.Scale;
import app.nn.Stack;
import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.dispatch.Dispatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Hooks of {@code io.camhook.Hooks} on a plain network: by object, by path, for all modules. */
@SuppressWarnings("try") // handles live as long as their block
class PlainOwnHooksTest {
  private static final String LAYERS =
      "models: [{ name: n, class: app.nn.Layer, backward: backward, capture: [] }]";

  private final List<String> events = new ArrayList<>();
  private WovenPlain woven;

  @BeforeEach
  void weave() {
    woven = new WovenPlain(LAYERS);
    WovenPlain.installNoEngine();
  }

  @AfterEach
  void restore() {
    Dispatch.install(null);
    woven.close();
    assertThat(woven.messages).isEmpty();
  }

  @Test
  void global_hooks_should_run_before_those_of_the_module_in_both_directions() {
    Scale layer = new Scale(2);
    Layer net = new Stack(layer, new Scale(3));
    try (HookHandle own = Hooks.registerForwardHook(layer, forward("own"));
        HookHandle ownBack = Hooks.registerFullBackwardHook(layer, backward("own"));
        HookHandle all =
            Hooks.registerForwardHookForAllModules(
                type -> type == Scale.class, forward("all"), HookOptions.DEFAULT);
        HookHandle pre = Hooks.registerForwardPreHookForAllModules(forwardPre("pre"));
        HookHandle allBack = Hooks.registerFullBackwardHookForAllModules(backward("all"));
        HookHandle backPre = Hooks.registerFullBackwardPreHookForAllModules(backwardPre("pre"))) {
      net.forward(new float[] {1});
      net.backward(new float[] {1});
    }
    net.forward(new float[] {1});
    assertThat(events)
        .containsExactly(
            "pre .",
            "pre layers.0",
            "all layers.0",
            "own layers.0",
            "pre layers.1",
            "all layers.1",
            "backward pre .",
            "backward pre layers.1",
            "backward all layers.1",
            "backward pre layers.0",
            "backward all layers.0",
            "backward own layers.0",
            "backward all .");
  }

  @Test
  void hooks_by_path_should_be_on_the_modules_that_the_glob_means() {
    Layer net = new Stack(new Scale(2), new Stack(new Scale(3), new Scale(5)));
    try (HookHandle two = Hooks.registerForwardHook(net, "layers.1.layers.*", forward("deep"));
        HookHandle back = Hooks.registerFullBackwardHook(net, "layers.0", backward("first"));
        HookHandle one = Hooks.registerForwardPreHook(net, ".", forwardPre("root"))) {
      net.forward(new float[] {1});
      net.backward(new float[] {1});
    }
    net.forward(new float[] {1});
    assertThat(events)
        .containsExactly(
            "root .",
            "deep layers.1.layers.0",
            "deep layers.1.layers.1",
            "backward first layers.0");
  }

  @Test
  void path_that_matches_nothing_should_be_refused_with_the_closest() {
    Layer net = new Stack(new Scale(2), new Scale(3));
    assertThatThrownBy(() -> Hooks.registerForwardHook(net, "layer.0", forward("x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "'layer.0' matches none of the 3 modules of Stack; closest: [layers.0, layers.1, .]");
  }

  @Test
  void object_of_no_network_should_be_refused_with_what_is_expected() {
    assertThatThrownBy(() -> Hooks.registerForwardHook("text", "layers.0", forward("x")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("or a plain network that the configuration names by class; found")
        .hasMessageContaining("java.lang.String");
  }

  @Test
  void values_should_be_replaced_in_turn_by_arguments_and_results() {
    Scale layer = new Scale(2);
    ForwardPreHook<Object, float[]> plusOne = (m, path, x) -> new float[] {x[0] + 1};
    ForwardPreHook<Object, float[]> timesTen = (m, path, x) -> new float[] {x[0] * 10};
    ForwardHook<Object, float[]> negate = (m, path, x, y) -> new float[] {-y[0]};
    FullBackwardPreHook<Object, float[]> plusThree = (m, path, g) -> new float[] {g[0] + 3};
    FullBackwardHook<Object, float[]> half = (m, path, in, out) -> new float[] {in[0] / 2};
    try (HookHandle a = Hooks.registerForwardPreHook((Object) layer, plusOne);
        HookHandle b =
            Hooks.registerForwardPreHook((Object) layer, timesTen, HookOptions.prepended());
        HookHandle c = Hooks.registerForwardHook((Object) layer, negate);
        HookHandle d = Hooks.registerFullBackwardPreHook((Object) layer, plusThree);
        HookHandle e = Hooks.registerFullBackwardHook((Object) layer, half)) {
      assertThat(layer.forward(new float[] {1})).containsExactly(-22); // −(1 · 10 + 1) · 2
      assertThat(layer.backward(new float[] {1})).containsExactly(4); // (1 + 3) · 2 / 2
      assertThat(layer.gradFactor).as("what the module computed with").isEqualTo(4 * 11);
    }
  }

  @Test
  void replacement_of_another_type_should_be_refused_with_both_types() {
    Scale layer = new Scale(2);
    ForwardPreHook<Object, Object> doubles = (m, path, x) -> new double[] {1};
    try (HookHandle handle = Hooks.registerForwardPreHook((Object) layer, doubles)) {
      assertThatThrownBy(() -> layer.forward(new float[] {1}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "forward of . (Scale): a hook replaced float[] by double[]; expected the same type");
    }
    assertThat(layer.forward(new float[] {1})).containsExactly(2);
  }

  @Test
  void hooks_with_params_should_get_none_and_replace_the_input() {
    Scale layer = new Scale(2);
    ForwardPreHookWithParams<Object, float[], Object> pre =
        (m, path, x, params) -> {
          events.add("params " + params);
          return new ForwardPreHookWithParams.Call<>(new float[] {5}, null);
        };
    ForwardHookWithParams<Object, float[], Object> post =
        (m, path, x, params, y) -> {
          events.add("params " + params + " " + x[0]);
          return null;
        };
    try (HookHandle a =
            Hooks.registerForwardPreHookWithParams((Object) layer, pre, HookOptions.DEFAULT);
        HookHandle b =
            Hooks.registerForwardHookWithParams((Object) layer, post, HookOptions.DEFAULT)) {
      assertThat(layer.forward(new float[] {1})).containsExactly(10);
    }
    assertThat(events).containsExactly("params null", "params null 5.0");
  }

  @Test
  void hook_that_throws_should_skip_later_hooks_but_not_always_called_ones() {
    Scale layer = new Scale(2);
    Layer net = new Stack(layer);
    ForwardHook<Object, float[]> thrower =
        (m, path, x, y) -> {
          events.add("throws");
          throw new IllegalStateException("mine");
        };
    try (HookHandle first =
            Hooks.registerForwardHook(layer, forward("first"), HookOptions.always());
        HookHandle bad = Hooks.registerForwardHook((Object) layer, thrower);
        HookHandle later = Hooks.registerForwardHook(layer, forward("later"));
        HookHandle always =
            Hooks.registerForwardHook(layer, forward("always"), HookOptions.always())) {
      assertThatThrownBy(() -> net.forward(new float[] {1}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("mine");
      assertThat(events).containsExactly("first layers.0", "throws", "always layers.0");
      events.clear();
      bad.remove();
      assertThat(net.forward(new float[] {1})).containsExactly(2);
      assertThat(events).containsExactly("first layers.0", "later layers.0", "always layers.0");
    }
  }

  @Test
  void always_called_hooks_should_see_a_failed_pre_hook_and_a_failed_forward() {
    Scale layer = new Scale(2);
    ForwardPreHook<Object, float[]> thrower =
        (m, path, x) -> {
          throw new IllegalStateException("pre");
        };
    ForwardHook<Object, float[]> failsToo =
        (m, path, x, y) -> {
          events.add("output " + (y == null ? "none" : y[0]));
          throw new IllegalStateException("dropped");
        };
    try (HookHandle always =
        Hooks.registerForwardHook((Object) layer, failsToo, HookOptions.always())) {
      try (HookHandle bad = Hooks.registerForwardPreHook((Object) layer, thrower)) {
        assertThatThrownBy(() -> layer.forward(new float[] {1}))
            .hasMessage("pre")
            .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessage("dropped"));
      }
      layer.fail = true;
      assertThatThrownBy(() -> layer.forward(new float[] {1}))
          .isInstanceOf(UnsupportedOperationException.class);
      layer.fail = false;
      assertThatThrownBy(() -> layer.forward(new float[] {1})).hasMessage("dropped");
    }
    assertThat(events).containsExactly("output none", "output none", "output 2.0");
    assertThat(layer.forward(new float[] {1})).containsExactly(2);
  }

  @Test
  void gradients_should_be_replaced_where_they_are_another_argument_or_a_field() {
    woven.close();
    woven =
        new WovenPlain(
            "models: [{ name: n, class: app.nn.Forms$Accumulating, capture: [], backward: backward,"
                + " input: argument 1, output: field y, gradOutput: argument 1, gradInput: field dx"
                + " }]");
    WovenPlain.installNoEngine();
    Forms.Accumulating layer = new Forms.Accumulating();
    ForwardHook<Object, float[]> negate = (m, path, x, y) -> new float[] {-y[0]};
    FullBackwardPreHook<Object, float[]> plusThree = (m, path, g) -> new float[] {g[0] + 3};
    FullBackwardHook<Object, float[]> half = (m, path, in, out) -> new float[] {in[0] / 2};
    try (HookHandle a = Hooks.registerForwardHook((Object) layer, negate);
        HookHandle b = Hooks.registerFullBackwardPreHook((Object) layer, plusThree);
        HookHandle c = Hooks.registerFullBackwardHook((Object) layer, half)) {
      layer.forward(7, new float[] {2});
      assertThat(layer.y).containsExactly(-20);
      layer.backward(7, new float[] {1});
      assertThat(layer.dx).containsExactly(20); // (1 + 3) · 10 / 2
    }
  }

  private ForwardPreHook<Object, Object> forwardPre(String name) {
    return (module, path, x) -> event(name + " " + path);
  }

  private ForwardHook<Object, Object> forward(String name) {
    return (module, path, x, y) -> event(name + " " + path);
  }

  private FullBackwardPreHook<Object, Object> backwardPre(String name) {
    return (module, path, g) -> event("backward " + name + " " + path);
  }

  private FullBackwardHook<Object, Object> backward(String name) {
    return (module, path, in, out) -> event("backward " + name + " " + path);
  }

  private Object event(String text) {
    events.add(text);
    return null;
  }
}
