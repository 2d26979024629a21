package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.ForwardHook;
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

  /** Refuses every value. */
  public static final class Refusing implements ForwardHook<Object, List<OnnxTensor>> {
    @Override
    public @Nullable List<OnnxTensor> afterForward(
        Object module, String path, List<OnnxTensor> inputs, @Nullable List<OnnxTensor> outputs) {
      throw new IllegalStateException("not this one");
    }
  }

  @BeforeEach
  void nothingSeen() {
    Seen.NOTES.clear();
  }

  private CamhookConfig config(double rate, String hook, Map<String, String> options) {
    return new CamhookConfig(
        List.of(
            new CamhookConfig.Model(
                "tiny",
                List.of("act"),
                Set.of(CaptureKind.GRADIENT),
                new Target(Target.Kind.CLASS, 1, 1, null),
                null,
                List.of(new CamhookConfig.Hook(List.of("act"), hook, options)),
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
}
