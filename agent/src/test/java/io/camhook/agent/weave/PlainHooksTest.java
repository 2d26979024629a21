package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import app.nn.Scale;
import app.nn.Stack;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.dispatch.Dispatch;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hooks on plain networks from the YAML and from code. */
@SuppressWarnings("try") // handles live as long as their block
class PlainHooksTest {
  private static final String YAML =
      """
      models:
        - name: net
          class: app.nn.Layer
          backward: backward
          hooks:
            - %s
      output: { directory: "%s" }
      """;

  @TempDir Path directory;

  @Test
  void own_hook_should_be_found_by_name_and_replace() {
    try (WovenPlain woven = woven("{ hook: app.nn.AddOne, layers: layers.0 }")) {
      assertThat(new Stack(new Scale(2), new Scale(10)).forward(new float[] {1}))
          .containsExactly(30); // (1 · 2 + 1) · 10
      assertThat(woven.messages).isEmpty();
      assertThat(woven.captured()).as("hooks alone record nothing").isEmpty();
    }
  }

  @Test
  void missing_hook_should_be_reported_once_and_the_network_run() {
    try (WovenPlain woven = woven("{ hook: com.acme.Missing }")) {
      new Scale(2).forward(new float[] {1});
      assertThat(new Scale(2).forward(new float[] {1})).containsExactly(2);
      assertThat(woven.messages)
          .singleElement()
          .asString()
          .startsWith("model net: hook com.acme.Missing: expected a class of the application's");
    }
  }

  @Test
  void stats_should_number_steps_and_tell_activation_and_gradient() {
    try (WovenPlain woven = woven("{ hook: stats, layers: layers.0 }")) {
      Stack net = new Stack(new Scale(2), new Scale(3));
      for (int step = 0; step < 2; step++) {
        net.forward(new float[] {1, 2});
        net.backward(new float[] {1, 0});
      }
      woven.closeWatches();
      // y = (2, 4): mean 3, std 1, norm √20; ∂/∂y = (3, 0): mean 1.5, norm 3.
      assertThat(directory.resolve("stats.jsonl"))
          .content()
          .hasLineCount(4)
          .contains(
              "{\"model\":\"net\",\"step\":1,\"path\":\"layers.0\",\"call\":0,"
                  + "\"value\":\"activation\",\"output\":0,\"shape\":[2],\"count\":2,\"mean\":3.0,"
                  + "\"std\":1.0,\"min\":2.0,\"max\":4.0,\"zeros\":0.0,\"norm\":"
                  + Math.sqrt(20),
              "{\"model\":\"net\",\"step\":1,\"path\":\"layers.0\",\"call\":0,"
                  + "\"value\":\"gradient\",\"output\":0,\"shape\":[2],\"count\":2,\"mean\":1.5,"
                  + "\"std\":1.5,\"min\":0.0,\"max\":3.0,\"zeros\":0.5,\"norm\":3.0");
    }
  }

  @Test
  void nan_guard_should_throw_into_the_application() {
    try (WovenPlain woven = woven("{ hook: nan-guard, action: throw }")) {
      Stack net = new Stack(new Scale(2), new Scale(Float.MAX_VALUE));
      assertThatThrownBy(() -> net.forward(new float[] {1}))
          .isInstanceOf(NonFiniteValueException.class)
          .hasMessageStartingWith(
              "nan-guard: model net, step 0, layer layers.1 (Scale) produced infinity in forward");
      assertThat(woven.messages).isEmpty();
    }
  }

  @Test
  void hooks_from_code_should_run_on_woven_objects_until_removed() {
    try (WovenPlain woven = woven("{ hook: nan-guard }")) {
      WovenPlain.installNoEngine();
      Scale layer = new Scale(2);
      Stack net = new Stack(layer);
      ForwardPreHook<Object, float[]> ten = (module, path, x) -> new float[] {10};
      FullBackwardHook<Object, float[]> negate =
          (module, path, gradInput, gradOutput) -> new float[] {-gradInput[0]};
      try (HookHandle pre = Hooks.registerForwardPreHook((Object) layer, ten);
          HookHandle backward = Hooks.registerFullBackwardHook((Object) layer, negate)) {
        assertThat(net.forward(new float[] {1})).containsExactly(20);
        assertThat(net.backward(new float[] {1})).containsExactly(-2);
      }
      assertThat(net.forward(new float[] {1})).containsExactly(2);
    } finally {
      Dispatch.install(null);
    }
  }

  private WovenPlain woven(String hook) {
    return new WovenPlain(YAML.formatted(hook, directory));
  }
}
