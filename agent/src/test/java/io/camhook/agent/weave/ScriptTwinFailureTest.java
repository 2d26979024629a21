package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model that runs unchanged but fails if a module's result is recorded: the result is a view of
 * 2^60 elements on one number, and its shape changes later, so recording needs a copy.
 */
class ScriptTwinFailureTest {
  private static final String BODY =
      """
          part = self.part
          wide = (part).forward(x, )
          flat = torch.squeeze_(wide, 0)
          return torch.mul(x, torch.select(flat, 0, 0))
      """;

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void write() throws Exception {
    Engine.getEngine("PyTorch"); // which the grad mode needs
    String part = "    return torch.expand(torch.sum(x), [1, 1152921504606846976])\n";
    file =
        SourceArchive.write(
            directory.resolve("wide.pt"), SourceArchive.source("Tensor", part) + BODY);
  }

  @Test
  void taps_that_fail_without_gradients_too_should_cost_the_activations_only() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"))) {
      predict(5);
      assertThat(djl.messages)
          .containsExactly(
              "model net is captured without gradients from now on: it fails when its activations"
                  + " require gradients",
              "model net fails with its taps but not without them; its requests run unchanged, and"
                  + " its captures hold only inputs and outputs");
      RefusalTable.assertSays("taps that fail at run time", djl.messages.subList(1, 2));
      assertThat(djl.failures).hasSize(2).allMatch(ScriptTwinFailureTest::isOutOfMemory);
      assertThat(djl.failureCount()).isEqualTo(2);
      // One request each was lost to learn of it.
      assertThat(djl.captured())
          .hasSize(3)
          .allSatisfy(
              capture ->
                  assertThat(capture.tensors().keySet()).containsExactly("input.0", "output.0"));
    }
  }

  @Test
  void hooks_whose_twin_fails_should_be_left_out() throws Exception {
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = ScriptLoading.PATH.load(file);
        HookHandle root = Hooks.registerForwardHook(model, ".", note(seen));
        HookHandle handle = Hooks.registerForwardHook(model, "part", note(seen))) {
      predict(model, 3);
      assertThat(seen).containsExactly(".", ".", ".");
      assertThat(djl.messages)
          .containsExactly(
              "model net with hooks at [part] fails, and does not without; its passes run as they"
                  + " are, and hooks inside it are no longer called");
      RefusalTable.assertSays("hooks inside that make it fail", djl.messages);
      assertThat(djl.failures).hasSize(1).allMatch(ScriptTwinFailureTest::isOutOfMemory);
      assertThat(djl.failureCount()).isEqualTo(1);
      assertThatThrownBy(() -> Hooks.registerForwardHook(model, "part", note(seen)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a pass failed with hooks inside it but not without them");
    }
  }

  @Test
  void hooks_whose_twin_fails_should_leave_a_graph_alone() throws Exception {
    boolean before = JniUtils.isGradMode();
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = ScriptLoading.PATH.load(file);
        HookHandle handle = Hooks.registerForwardHook(model, "part", note(seen));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      JniUtils.setGradMode(true);
      NDArray x = manager.create(new float[] {1, -2, 3, 0}, new Shape(1, 4));
      x.setRequiresGradient(true);
      NDList outputs =
          model.getBlock().forward(new ParameterStore(manager, false), new NDList(x), true);
      assertThat(outputs.head().toFloatArray()).containsExactly(2, -4, 6, 0);
      assertThat(seen).isEmpty();
      assertThat(djl.failureCount()).isEqualTo(1);
    } finally {
      JniUtils.setGradMode(before);
    }
  }

  private static ForwardHook<Block, NDList> note(List<String> seen) {
    return (block, path, inputs, outputs) -> {
      seen.add(path);
      return null;
    };
  }

  private static boolean isOutOfMemory(Throwable failure) {
    return String.valueOf(failure.getMessage()).contains("allocate 4611686018427387904 bytes");
  }

  private void predict(int requests) throws Exception {
    try (Model model = ScriptLoading.PATH.load(file)) {
      predict(model, requests);
    }
  }

  /** x · sum(x), whatever is recorded. */
  private static void predict(Model model, int requests) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < requests; i++) {
        NDList input = new NDList(manager.create(new float[] {1, -2, 3, 0}, new Shape(1, 4)));
        assertThat(predictor.predict(input).head().toFloatArray()).containsExactly(2, -4, 6, 0);
      }
    }
  }
}
