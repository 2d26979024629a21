package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hooks of the configuration on a session that the application made. */
class OrtHooksTest {
  /** Two channels of four places each. */
  private static final float[] INPUT = {1, -1, 2, 3, 4, 5, -6, 7};

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  @TempDir Path directory;
  private Set<CaptureKind> kinds = Set.of(CaptureKind.GRADIENT);

  /** Notes what it sees. */
  public static final class Seen
      implements ForwardHook<Object, List<OnnxTensor>>, FullBackwardHook<Object, List<OnnxTensor>> {
    static final List<String> NOTES = Collections.synchronizedList(new ArrayList<>());

    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module, String path, List<OnnxTensor> inputs, @Nullable List<OnnxTensor> outputs) {
      NOTES.add("forward " + path + " " + numbers(outputs));
      return null;
    }

    @Override
    public @Nullable List<OnnxTensor> afterBackward(
        Object module, String path, List<OnnxTensor> gradInputs, List<OnnxTensor> gradOutputs) {
      NOTES.add("backward " + path + " " + numbers(gradOutputs));
      return null;
    }

    private static String numbers(List<OnnxTensor> tensors) {
      return Arrays.toString(tensors.get(0).getFloatBuffer().array());
    }
  }

  /** Has no parameters to see, because sessions have none. */
  public static final class SeenWithParams
      implements ForwardHookWithParams<Object, List<OnnxTensor>, Object> {
    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module,
        String path,
        List<OnnxTensor> inputs,
        @Nullable Object params,
        @Nullable List<OnnxTensor> outputs) {
      Seen.NOTES.add("params " + params + " " + path + " " + Seen.numbers(outputs));
      return null;
    }
  }

  /** Refuses every value. */
  public static final class Refusing implements ForwardHook<Object, List<OnnxTensor>> {
    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module, String path, List<OnnxTensor> inputs, @Nullable List<OnnxTensor> outputs) {
      throw new IllegalStateException("not this one");
    }
  }

  /** Doubles what it sees, or keeps it if the first number is zero. */
  public static final class Doubling implements ForwardHook<Object, List<OnnxTensor>> {
    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module, String path, List<OnnxTensor> inputs, @Nullable List<OnnxTensor> outputs) {
      float[] values = outputs.get(0).getFloatBuffer().array();
      if (values[0] == 0) {
        return null;
      }
      for (int i = 0; i < values.length; i++) {
        values[i] *= 2;
      }
      try {
        return List.of(
            OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(),
                FloatBuffer.wrap(values),
                outputs.get(0).getInfo().getShape()));
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Returns a value of another shape. */
  public static final class Shrinking implements ForwardHook<Object, List<OnnxTensor>> {
    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module, String path, List<OnnxTensor> inputs, @Nullable List<OnnxTensor> outputs) {
      try {
        return List.of(
            OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(), FloatBuffer.wrap(new float[1]), new long[] {1}));
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @BeforeEach
  void nothingSeen() {
    Seen.NOTES.clear();
  }

  private CamhookConfig config(double rate, String hook, Map<String, String> options) {
    return config(rate, List.of(new CamhookConfig.Hook(List.of("act"), hook, options)));
  }

  private CamhookConfig replacing(double rate, List<String> layers, Class<?>... hooks) {
    return config(
        rate,
        Arrays.stream(hooks)
            .map(
                hook ->
                    new CamhookConfig.Hook(layers, hook.getName(), hook != Seen.class, Map.of()))
            .toList());
  }

  private CamhookConfig config(double rate, List<CamhookConfig.Hook> hooks) {
    return new CamhookConfig(
        List.of(
            new CamhookConfig.Model(
                "tiny",
                List.of("act"),
                kinds,
                new Target(Target.Kind.CLASS, 1, 1, null),
                null,
                hooks,
                null)),
        new CamhookConfig.Sampling(rate, Double.POSITIVE_INFINITY),
        WovenDjl.config(1, false).limits(),
        new CamhookConfig.Output(directory.toString(), 1L << 20),
        false);
  }

  private void run(OrtSession session, float... values) throws OrtException {
    try (OnnxTensor input =
        OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), new long[] {1, 2, 2, 2})) {
      session.run(Map.of("x", input)).close();
    }
  }

  @Test
  void hook_of_the_users_should_see_values_of_every_run_and_gradients_of_captured_ones()
      throws Exception {
    try (WovenOrt woven = new WovenOrt(config(1, Seen.class.getName(), Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session, INPUT);
      // WEIGHT[1] / 4 = 0.75 and -1, at four places each
      assertThat(Seen.NOTES)
          .containsExactly(
              "forward act [1.0, 0.0, 2.0, 3.0, 4.0, 5.0, 0.0, 7.0]",
              "backward act [0.75, 0.75, 0.75, 0.75, -1.0, -1.0, -1.0, -1.0]");
      Capture capture = woven.captured(1).get(0);
      assertThat(capture.tensors().keySet()).containsExactly("gradient/act");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void hook_with_parameters_should_see_values() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(0, SeenWithParams.class.getName(), Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session, INPUT);
      assertThat(Seen.NOTES)
          .containsExactly("params null act [1.0, 0.0, 2.0, 3.0, 4.0, 5.0, 0.0, 7.0]");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void hook_should_see_runs_that_are_not_captured() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(0, Seen.class.getName(), Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session, INPUT);
      run(session, INPUT);
      assertThat(Seen.NOTES).hasSize(2).allMatch(note -> note.startsWith("forward act"));
      assertThat(woven.counters().fired()).isZero();
    }
  }

  @Test
  void what_a_hook_throws_should_reach_the_application() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(0, Refusing.class.getName(), Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThatThrownBy(() -> run(session, INPUT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("not this one");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void nan_guard_should_end_the_run_where_it_is_told_to() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(0, "nan-guard", Map.of("action", "throw")));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session, INPUT);
      assertThatThrownBy(() -> run(session, 1, Float.NaN, 2, 3, 4, 5, 6, 7))
          .isInstanceOf(NonFiniteValueException.class)
          .hasMessageContaining("layer act (Relu) produced NaN in forward");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void stats_should_be_written_of_values_and_gradients() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(1, "stats", Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session, INPUT);
      woven.captured(1);
      woven.closeWatches();
      assertThat(Files.readAllLines(directory.resolve("stats.jsonl")))
          .hasSize(2)
          .anyMatch(line -> line.contains("activation") && line.contains("\"act\""))
          .anyMatch(line -> line.contains("gradient") && line.contains("\"act\""));
    }
  }

  private float[] logits(OrtSession session, float... values) throws OrtException {
    try (OnnxTensor input =
            OnnxTensor.createTensor(
                environment, FloatBuffer.wrap(values), new long[] {1, 2, 2, 2});
        OrtSession.Result result = session.run(Map.of("x", input))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  /** act = relu(x): means 6/4 and 16/4; WEIGHT rows (1,2), (3,-4), (5,6). */
  private static final float[] PLAIN = {9.5f, -11.5f, 31.5f};

  @Test
  void model_should_go_on_with_what_a_hook_returns_where_that_is_asked_for() throws Exception {
    kinds = Set.of(CaptureKind.ACTIVATION, CaptureKind.GRADIENT, CaptureKind.OUTPUT);
    try (WovenOrt woven = new WovenOrt(replacing(1, List.of("act"), Doubling.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      float[] twice = {19, -23, 63};
      assertThat(logits(session, INPUT)).containsExactly(twice);
      Capture capture = woven.captured(1).get(0);
      assertThat(woven.failures).isEmpty();
      assertThat(woven.messages).noneMatch(message -> message.contains("WARN"));
      assertThat(capture.tensors().get("output.0").toFloats()).containsExactly(twice);
      assertThat(capture.tensors().get("activation/act").toFloats())
          .containsExactly(2, 0, 4, 6, 8, 10, 0, 14);
      assertThat(capture.tensors().get("gradient/act").toFloats())
          .containsExactly(0.75f, 0.75f, 0.75f, 0.75f, -1, -1, -1, -1);
    }
  }

  @Test
  void hooks_that_replace_should_see_what_earlier_ones_returned() throws Exception {
    try (WovenOrt woven =
            new WovenOrt(replacing(0, List.of("act", "pooled"), Doubling.class, Seen.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThat(logits(session, INPUT)).containsExactly(38, -46, 126);
      // The hook that looks sees the values that the model continued with: twice the values, twice
      // again.
      assertThat(Seen.NOTES)
          .containsExactly(
              "forward act [2.0, 0.0, 4.0, 6.0, 8.0, 10.0, 0.0, 14.0]",
              "forward pooled [6.0, 16.0]");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void outputs_should_be_the_applications_own_where_a_hook_keeps_everything() throws Exception {
    try (WovenOrt woven = new WovenOrt(replacing(0, List.of("act"), Doubling.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      // The first activation is 0: kept. Means 5/4 and 16/4.
      assertThat(logits(session, -1, -1, 2, 3, 4, 5, -6, 7))
          .containsExactly(9.25f, -12.25f, 30.25f);
      assertThat(logits(session, INPUT)).containsExactly(19, -23, 63);
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void outputs_themselves_should_be_replaceable() throws Exception {
    try (WovenOrt woven = new WovenOrt(replacing(0, List.of("logits"), Doubling.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThat(logits(session, INPUT)).containsExactly(19, -23, 63);
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void value_of_another_shape_should_be_refused_with_both() throws Exception {
    try (WovenOrt woven = new WovenOrt(replacing(0, List.of("act"), Shrinking.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThatThrownBy(() -> logits(session, INPUT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'act'")
          .hasMessageContaining("[1, 2, 2, 2]")
          .hasMessageContaining("[1]");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void returned_value_should_change_nothing_unless_that_is_asked_for() throws Exception {
    try (WovenOrt woven = new WovenOrt(config(0, Doubling.class.getName(), Map.of()));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThat(logits(session, INPUT)).containsExactly(PLAIN);
      assertThat(woven.messages).anyMatch(message -> message.contains("replace: true"));
    }
  }

  @Test
  void what_a_replacing_hook_throws_should_reach_the_application() throws Exception {
    try (WovenOrt woven = new WovenOrt(replacing(0, List.of("act"), Refusing.class));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      assertThatThrownBy(() -> logits(session, INPUT)).hasMessage("not this one");
      assertThat(woven.failures).isEmpty();
    }
  }
}
