package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.djl.DjlAdapter;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Sessions over a TorchScript archive while the agent is at work and its configuration matches
 * every model. The numbers of the archive are computed by hand: with the input 0..15 the ReLU gives
 * 0 4 31 40 | 0 0 6 15, and class 0 is their sum with the weights 1 1 1 1 | 1 -1 -1 -1.
 */
class ScriptSessionTest {
  private static final Path ARCHIVE =
      Path.of("../runtime/src/test/resources/torchscript/one_conv.scripted.pt");
  private static final LayerOutput RELU = LayerOutput.of("relu1");

  private interface Body {
    void with(ModelSession session) throws Exception;
  }

  private static void woven(Body body) throws Exception {
    CamhookConfig everything =
        WovenDjl.config(
            1,
            false,
            new CamhookConfig.Model(
                "*",
                List.of("conv1"),
                EnumSet.allOf(CaptureKind.class),
                Target.TOP1,
                null,
                List.of(),
                null));
    try (WovenDjl djl = new WovenDjl(everything)) {
      DjlAdapter adapter = (DjlAdapter) Dispatch.engineOf(Engine.getEngine("PyTorch"));
      boolean mode = JniUtils.isGradMode();
      try (ModelSession session = adapter.open(ARCHIVE, List.of("relu1"))) {
        body.with(session);
      }
      assertThat(JniUtils.isGradMode()).isEqualTo(mode);
      assertThat(Dispatch.active).isFalse();
      assertThat(djl.captures).isEmpty();
      assertThat(djl.messages).isEmpty();
    }
  }

  private static List<Tensor> input() {
    float[] ramp = new float[16];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = i;
    }
    return List.of(Tensor.ofFloats(ramp, 1, 1, 4, 4));
  }

  /** Class 0. */
  private static List<Tensor> target(Tensor output) {
    return List.of(Tensor.ofFloats(new float[] {1, 0, 0, 0}, output.shape()));
  }

  @Test
  void run_should_record_the_layers_of_the_session_alone() throws Exception {
    woven(
        session -> {
          ModelSession.Pass pass = session.run(input(), ScriptSessionTest::target, false);
          assertThat(pass.activations()).containsOnlyKeys(RELU);
          assertThat(pass.activations().get(RELU).toFloats())
              .containsExactly(0, 4, 31, 40, 0, 0, 6, 15);
          assertThat(pass.gradients().get(0).get(RELU).toFloats())
              .containsExactly(1, 1, 1, 1, 1, -1, -1, -1);
          assertThat(pass.outputs().get(0).toFloats()[0]).isEqualTo(4 + 31 + 40 - 6 - 15);
        });
  }

  @Test
  void pass_without_target_should_stop_behind_the_last_layer() throws Exception {
    woven(
        session -> {
          ModelSession.Pass pass = session.run(input(), null, true);
          assertThat(pass.outputs()).isEmpty();
          assertThat(pass.activations().get(RELU).toFloats())
              .containsExactly(0, 4, 31, 40, 0, 0, 6, 15);
        });
  }

  @Test
  void passes_with_and_without_gradients_should_follow_each_other() throws Exception {
    woven(
        session -> {
          for (int i = 0; i < 3; i++) { // the JIT specialises methods after two runs
            assertThat(session.outputs(input()).get(0).toFloats()[0]).isEqualTo(54);
            session.run(input(), ScriptSessionTest::target, false);
            session.run(input(), null, false);
            Tensor ones = Tensor.ofFloats(new float[] {1, 1, 1, 1, 1, 1, 1, 1}, 1, 2, 2, 2);
            // 5 - 3
            assertThat(session.outputsFrom("relu1", ones, input()).get(0).toFloats()[0])
                .isEqualTo(2);
          }
        });
  }

  @Test
  void guided_copy_should_be_loaded_beside_it() throws Exception {
    woven(
        session ->
            // The gradient at the ReLU clamped at 0 and masked where it is closed, 0 1 1 1 | 0 0 0
            // 0: three windows of ones.
            assertThat(
                    session.guidedInputGradient(input(), 0, ScriptSessionTest::target).toFloats())
                .containsExactly(0, 1, 1, 1, 1, 3, 3, 2, 1, 3, 3, 2, 1, 2, 2, 1));
  }

  @Test
  void hooks_for_all_modules_should_see_passes_that_record_and_no_other() throws Exception {
    List<String> seen = new ArrayList<>();
    ForwardHook<Block, NDList> note =
        (block, path, inputs, outputs) -> {
          seen.add(path);
          return null;
        };
    woven(
        session -> {
          try (HookHandle handle = Hooks.registerForwardHookForAllModules(note)) {
            session.outputs(input());
            session.inputGradient(input(), 0, ScriptSessionTest::target);
            session.guidedInputGradient(input(), 0, ScriptSessionTest::target);
            Tensor ones = Tensor.ofFloats(new float[] {1, 1, 1, 1, 1, 1, 1, 1}, 1, 2, 2, 2);
            session.outputsFrom("relu1", ones, input());
            assertThat(seen).isEmpty();
            session.run(input(), ScriptSessionTest::target, false);
            session.run(input(), null, true);
            assertThat(seen).containsExactly(".", ".");
          }
        });
  }

  @Test
  void engine_that_is_not_woven_after_all_should_be_said() throws Exception {
    CamhookConfig config = WovenDjl.config(1, false);
    Recorder recorder =
        new Recorder(
            config.limits(),
            "nowhere",
            () -> {
              throw new IOException("unused");
            },
            EventLog.SILENT);
    DjlAdapter adapter = new DjlAdapter();
    adapter.start(
        new AdapterContext(
            config, recorder, Watches.of(config, EventLog.SILENT), EventLog.SILENT, true));
    assertThatThrownBy(() -> adapter.open(ARCHIVE, List.of("relu1")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "the engine's loading of archives is not instrumented; the agent's messages say why");
    adapter.close();
    assertThatThrownBy(() -> adapter.open(ARCHIVE, List.of("relu1")))
        .hasMessage("the adapter is closed");
  }
}
