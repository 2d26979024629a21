package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that cannot be captured inside: one line, and the application continues. */
class OrtRefusalTest {
  private static final float[] INPUT = {1, -1, 2, 3, 4, 5, -6, 7};

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

  private static CamhookConfig config(String... layers) {
    return WovenDjl.config(
        1,
        false,
        new CamhookConfig.Model(
            "*",
            List.of(layers),
            Set.of(CaptureKind.values()),
            Target.TOP1,
            null,
            List.of(),
            null));
  }

  private float[] run(OrtSession session) throws OrtException {
    try (OnnxTensor input =
            OnnxTensor.createTensor(environment, FloatBuffer.wrap(INPUT), new long[] {1, 2, 2, 2});
        OrtSession.Result result = session.run(Map.of("x", input))) {
      return ((OnnxTensor) result.get(0)).getFloatBuffer().array();
    }
  }

  @Test
  void value_that_is_not_there_should_be_named_with_the_closest() throws Exception {
    try (WovenOrt woven = new WovenOrt(config("akt", "act"));
        OrtSession session = environment.createSession(TinyOnnx.classifier())) {
      run(session);
      assertThat(woven.captured(1).get(0).tensors()).containsKeys("activation/act", "gradient/act");
      assertThat(woven.messages)
          .filteredOn(line -> line.contains("akt"))
          .singleElement()
          .asString()
          .contains("model tiny: the graph has no module, node or value 'akt'; closest: ");
      assertThat(woven.failureCount()).isEqualTo(1);
    }
  }

  @Test
  void control_flow_before_the_score_should_cost_the_gradients_alone() throws Exception {
    try (WovenOrt woven = new WovenOrt(config("act"));
        OrtSession session = environment.createSession(TinyOnnx.conditional())) {
      run(session);
      Capture capture = woven.captured(1).get(0);
      assertThat(capture.tensors()).containsKey("activation/act").doesNotContainKey("gradient/act");
      assertThat(woven.messages)
          .filteredOn(line -> line.contains("without gradients"))
          .singleElement()
          .asString()
          .contains("act: captured without gradients: no gradient through If");
    }
  }

  @Test
  void file_that_changed_after_it_was_loaded_should_be_captured_from_outside_only(
      @TempDir Path directory) throws Exception {
    Path file = Files.write(directory.resolve("tiny.onnx"), TinyOnnx.classifier());
    byte[] array = TinyOnnx.classifier();
    try (WovenOrt woven = new WovenOrt(config("act"))) {
      woven.busy(
          () -> {
            try (OrtSession ofArray = environment.createSession(array);
                OrtSession ofFile = environment.createSession(file.toString())) {
              array[array.length / 2] ^= 1;
              Files.setLastModifiedTime(file, FileTime.fromMillis(0));
              assertThat(run(ofArray)).isEqualTo(run(ofFile));
            }
          });
      assertThat(woven.captured(2))
          .allMatch(capture -> capture.tensors().containsKey("output.0"))
          .noneMatch(capture -> capture.tensors().containsKey("activation/act"));
      assertThat(woven.messages)
          .filteredOn(line -> line.contains("it was changed after the application had loaded it"))
          .extracting(line -> line.substring(line.indexOf("model "), line.indexOf(": nothing")))
          .containsExactlyInAnyOrder("model tiny", "model tiny.onnx");
      assertThat(woven.failures).isEmpty();
    }
  }

  @Test
  void session_that_is_closed_should_end_the_one_beside_it() throws Exception {
    try (WovenOrt woven = new WovenOrt(config("act"))) {
      OrtSession session = environment.createSession(TinyOnnx.classifier());
      run(session);
      woven.captured(1);
      session.close();
      assertThat(woven.watchedSessions()).isZero();
      woven.idle();
      assertThat(woven.sideSessions()).isZero();
      assertThatThrownBy(() -> run(session)).isInstanceOf(IllegalStateException.class);
      assertThat(woven.counters().fired()).isEqualTo(1);
    }
  }
}
