package io.camhook.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.ForwardHook;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.KeptLog;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchesTest {
  private static final float NAN = Float.NaN;

  @TempDir Path directory;
  private final List<String> messages = new ArrayList<>();
  private final EventLog log = new KeptLog(messages, new ArrayList<>());
  private static final String TYPE = WatchesTest.class.getSimpleName();

  private final Steps steps = new Steps("net");

  @Test
  void stats_should_write_a_line_of_json_for_every_call() {
    try (Watches watches = new Watches(directory, log)) {
      LayerWatch stats = watch(watches, "stats", Map.of());
      steps.begin();
      stats.forward(steps.forward(stats, "a\"b", TYPE), of(1), of(0, 2));
      stats.forward(steps.forward(stats, "a\"b", TYPE), of(1), of(NAN));
      stats.backward(steps.backward(stats, "a\"b", TYPE), List.of(), of(3, 4));
      steps.begin();
      stats.forward(steps.forward(stats, "c", TYPE), of(1), of(1));
    }
    assertThat(directory.resolve("stats.jsonl"))
        .hasContent(
            """
            {"model":"net","step":0,"path":"a\\"b","call":0,"value":"activation","output":0,"shape":[2],"count":2,"mean":1.0,"std":1.0,"min":0.0,"max":2.0,"zeros":0.5,"norm":2.0,"nonFinite":0}
            {"model":"net","step":0,"path":"a\\"b","call":1,"value":"activation","output":0,"shape":[1],"count":1,"mean":null,"std":null,"min":null,"max":null,"zeros":null,"norm":null,"nonFinite":1}
            {"model":"net","step":0,"path":"a\\"b","call":0,"value":"gradient","output":0,"shape":[2],"count":2,"mean":3.5,"std":0.5,"min":3.0,"max":4.0,"zeros":0.0,"norm":5.0,"nonFinite":0}
            {"model":"net","step":1,"path":"c","call":0,"value":"activation","output":0,"shape":[1],"count":1,"mean":1.0,"std":0.0,"min":1.0,"max":1.0,"zeros":0.0,"norm":1.0,"nonFinite":0}
            """);
    assertThat(messages).isEmpty();
  }

  @Test
  void nan_guard_should_name_the_first_layer_once_a_step_and_only_the_producer() {
    LayerWatch guard = watch(new Watches(null, log), "nan-guard", Map.of());
    for (int pass = 0; pass < 2; pass++) {
      steps.begin();
      guard.forward(steps.forward(guard, "fine", TYPE), of(1), of(1));
      guard.forward(steps.forward(guard, "block.log", TYPE), of(-1, 1), of(NAN, 0));
      guard.forward(steps.forward(guard, "later", TYPE), of(NAN, 0), of(NAN, 0));
      guard.forward(steps.forward(guard, "block", TYPE), of(-1, 1), of(NAN, 0));
      guard.forward(steps.forward(guard, ".", TYPE), of(-1, 1), of(NAN, 0));
      guard.backward(
          steps.backward(guard, "deep", TYPE), of(Float.NEGATIVE_INFINITY), of(Float.MAX_VALUE));
    }
    assertThat(messages)
        .containsExactly(
            "nan-guard: model net, step 0, layer block.log (WatchesTest) produced NaN in forward;"
                + " its input: [2] mean 0.000 std 1.000 min -1.000 max 1.000 zeros 0.0 % norm"
                + " 1.414",
            "nan-guard: model net, step 0, layer deep (WatchesTest) produced infinity in backward;"
                + " the gradient of its output: [1] mean 3.403e+38 std 0.000 min 3.403e+38 max"
                + " 3.403e+38 zeros 0.0 % norm 3.403e+38");
  }

  @Test
  void nan_guard_should_keep_threads_apart() throws InterruptedException {
    LayerWatch guard = watch(new Watches(null, log), "nan-guard", Map.of());
    steps.begin();
    guard.forward(steps.forward(guard, "a", TYPE), of(1), of(NAN));
    Thread other =
        new Thread(
            () -> {
              steps.begin();
              guard.forward(steps.forward(guard, "a", TYPE), of(1), of(NAN));
            });
    other.start();
    other.join();
    guard.forward(steps.forward(guard, ".", TYPE), of(1), of(NAN));
    assertThat(messages).hasSize(1);
  }

  @Test
  void nan_guard_should_say_that_the_models_own_input_is_not_finite() {
    LayerWatch guard = watch(new Watches(null, log), "nan-guard", Map.of());
    guard.forward(steps.forward(guard, "conv", TYPE), of(NAN), of(NAN));
    guard.forward(steps.forward(guard, ".", TYPE), of(NAN), of(NAN));
    assertThat(messages)
        .singleElement()
        .asString()
        .startsWith("nan-guard: model net, step 0, layer . (WatchesTest): its input already has");
  }

  @Test
  void nan_guard_should_throw_where_asked_to() {
    LayerWatch guard = watch(new Watches(null, log), "nan-guard", Map.of("action", "throw"));
    assertThatThrownBy(() -> guard.forward(steps.forward(guard, "log", TYPE), of(-1), of(NAN)))
        .isInstanceOf(NonFiniteValueException.class)
        .hasMessageStartingWith(
            "nan-guard: model net, step 0, layer log (WatchesTest) produced NaN");
    assertThat(messages).isEmpty();
  }

  @Test
  void stats_without_a_directory_should_be_for_the_operator_alone() {
    Watches watches = new Watches(null, log);
    LayerWatch stats = watch(watches, "stats", Map.of());
    stats.forward(steps.forward(stats, "fc", TYPE), of(1), of(3, 4));
    assertThat(watches.health().layers())
        .singleElement()
        .satisfies(layer -> assertThat(layer.norm()).isEqualTo(5));
    assertThat(messages)
        .containsExactly(
            "hook stats writes no stats.jsonl, because there is no output.directory; JMX, JFR and"
                + " the application's metrics have its numbers");
  }

  @Test
  void full_heap_in_a_built_in_hook_should_not_reach_the_application() {
    Failures failures = new Failures(EventLog.SILENT);
    Watches.look(
        failures,
        () -> {
          throw new OutOfMemoryError("Java heap space");
        });
    assertThat(failures.causes()).hasSize(1);
    assertThat(failures.count()).isEqualTo(1);
    assertThatThrownBy(
            () ->
                Watches.look(
                    failures,
                    () -> {
                      throw new NonFiniteValueException("asked for");
                    }))
        .isInstanceOf(NonFiniteValueException.class);
    assertThat(failures.count()).isEqualTo(1);
  }

  @Test
  void print_should_say_one_line_a_tensor() {
    LayerWatch print = watch(new Watches(null, log), "print", Map.of());
    print.forward(steps.forward(print, "fc", TYPE), of(1), of(0, 2));
    print.backward(steps.backward(print, "fc", TYPE), of(1), of(5));
    assertThat(messages)
        .containsExactly(
            "model net, step 0, layer fc (WatchesTest): forward [2] mean 1.000 std 1.000 min 0.000"
                + " max 2.000 zeros 50.0 % norm 2.000",
            "model net, step 0, layer fc (WatchesTest): backward [1] mean 5.000 std 0.000 min 5.000"
                + " max 5.000 zeros 0.0 % norm 5.000");
  }

  @Test
  void own_hook_should_be_made_with_the_entrys_options() throws Exception {
    Object hook = UserHook.load(Own.class.getName(), Map.of("every", "3"), List.of(loader()));
    assertThat(((Own) hook).options).containsEntry("every", "3");
  }

  @Test
  void missing_or_unfit_own_hook_should_be_told_with_what_was_found() {
    assertThatThrownBy(() -> load("com.acme.Missing"))
        .isInstanceOf(UserHook.UnusableException.class)
        .hasMessageStartingWith(
            "hook com.acme.Missing: expected a class of the application's, found no such class in");
    assertThatThrownBy(() -> load("java.lang.Thread"))
        .hasMessage(
            "hook java.lang.Thread: expected a class that implements io.camhook.ForwardPreHook,"
                + " ForwardPreHookWithParams, ForwardHook, ForwardHookWithParams,"
                + " FullBackwardPreHook or FullBackwardHook, found a class that implements"
                + " java.lang.Runnable");
    assertThatThrownBy(() -> load("io.camhook.ForwardHook"))
        .hasMessageContaining("expected a class that can be instantiated, found an abstract type");
    assertThatThrownBy(() -> load(NoConstructor.class.getName()))
        .hasMessageContaining("expected a constructor without arguments or with one Map, found [");
  }

  private static Object load(String name) throws Exception {
    return UserHook.load(name, Map.of(), List.of(loader()));
  }

  private static ClassLoader loader() {
    return WatchesTest.class.getClassLoader();
  }

  private static LayerWatch watch(Watches watches, String hook, Map<String, String> options) {
    return Objects.requireNonNull(watches.of(new CamhookConfig.Hook(List.of("*"), hook, options)));
  }

  private static List<LayerValues> of(float... values) {
    return List.of(
        new LayerValues() {
          @Override
          public long[] shape() {
            return new long[] {values.length};
          }

          @Override
          public float[] toFloats() {
            return values;
          }
        });
  }

  /** A hook that takes options. */
  public static final class Own implements ForwardHook<Object, Object> {
    final Map<String, String> options;

    public Own(Map<String, String> options) {
      this.options = options;
    }

    @Override
    public @Nullable Object afterForward(
        Object module, String path, Object inputs, @Nullable Object outputs) {
      return null;
    }
  }

  /** A hook that cannot be instantiated. */
  public static final class NoConstructor implements ForwardHook<Object, Object> {
    NoConstructor(int number) {}

    @Override
    public @Nullable Object afterForward(
        Object module, String path, Object inputs, @Nullable Object outputs) {
      return null;
    }
  }
}
