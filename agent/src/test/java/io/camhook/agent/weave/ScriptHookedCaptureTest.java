package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.translate.TranslateException;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Passes that make a graph, of a TorchScript model with hooks inside: captured and hooked at once.
 */
class ScriptHookedCaptureTest {
  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");

  private final WovenDjl djl =
      new WovenDjl(WovenDjl.capturing(Target.TOP1, "features", "features.0", "gap", "."));
  private final List<String> seen = new ArrayList<>();

  @AfterEach
  void close() {
    djl.close();
  }

  /** The results of a step: the output, and the gradients of the parameters. */
  private record Step(byte[] output, byte[] gradients) {}

  @Test
  void capture_should_be_that_of_a_pass_without_hooks() throws Exception {
    Step plain;
    try (Model model = load(true)) {
      plain = step(model);
    }
    Capture without = djl.captured().get(0);
    assertThat(gradient(without, "features")).isNotEmpty();
    try (Model model = load(true);
        HookHandle forward = Hooks.registerForwardHook(model, "features.*", note());
        HookHandle backward =
            BlockHooks.registerFullBackwardHook(
                model,
                "gap",
                (block, path, gradInputs, gradOutputs) -> {
                  seen.add("backward " + path + " " + gradInputs.head().getShape());
                  return null;
                })) {
      for (int i = 0; i < 3; i++) {
        seen.clear();
        Step hooked = step(model);
        assertThat(hooked.output()).isEqualTo(plain.output());
        if (i == 0) { // later ones are added
          assertThat(Arrays.equals(hooked.gradients(), plain.gradients())).isTrue();
        }
        assertThat(seen)
            .hasSize(9)
            .startsWith("features.0")
            .endsWith("backward gap (1, 48, 12, 10)");
      }
    }
    assertThat(djl.captured()).hasSize(4);
    for (Capture capture : djl.captured().subList(1, 4)) {
      assertThat(capture.layers()).containsExactlyInAnyOrderElementsOf(without.layers());
      for (String path : List.of("features", "features.0", "gap", ".")) {
        assertThat(activation(capture, path)).as(path).isEqualTo(activation(without, path));
        assertThat(gradient(capture, path)).as(path).isEqualTo(gradient(without, path));
      }
      assertThat(capture.targets()).isEqualTo(without.targets());
    }
    assertThat(djl.messages).isEmpty();
  }

  @Test
  void activation_should_be_that_of_the_moment_before_hooks_change_it() throws Exception {
    try (Model model = load(false);
        HookHandle other = Hooks.registerForwardHook(model, "fc", note())) {
      forward(model);
      ForwardHook<Block, NDList> zero =
          (block, path, inputs, outputs) -> {
            try (NDArray detached = outputs.head().stopGradient()) {
              detached.muli(0);
            }
            return null;
          };
      try (HookHandle handle = Hooks.registerForwardHook(model, "gap", zero)) {
        forward(model);
      }
    }
    assertThat(activation(djl.captured().get(1), "gap"))
        .isEqualTo(activation(djl.captured().get(0), "gap"));
  }

  @Test
  void hook_that_throws_should_end_the_pass_and_leave_no_capture() throws Exception {
    try (Model model = load(true)) {
      try (HookHandle handle =
          Hooks.registerForwardHook(
              model,
              "gap",
              (Block block, String path, NDList in, NDList out) -> {
                throw new IllegalArgumentException("mine");
              })) {
        assertThatThrownBy(() -> step(model)).hasMessage("mine");
      }
      assertThat(djl.captured()).isEmpty();
      step(model);
      assertThat(djl.captured()).hasSize(1);
    }
    assertThat(djl.messages).isEmpty();
  }

  @Test
  void pass_in_which_nothing_requires_a_gradient_should_be_captured_without() throws Exception {
    try (Model model = load(false);
        HookHandle handle = Hooks.registerForwardHook(model, "gap", note())) {
      for (int i = 0; i < 2; i++) {
        forward(model);
      }
    }
    assertThat(seen).hasSize(2);
    assertThat(djl.captured())
        .hasSize(2)
        .allSatisfy(
            capture -> {
              assertThat(activation(capture, "features")).isNotEmpty();
              assertThat(capture.tensors().keySet()).noneMatch(name -> name.startsWith("gradient"));
            });
    assertThat(djl.messages)
        .containsExactly(
            "model net: passes are captured without gradients where the score does not depend on a"
                + " recorded value that requires one (frozen parameters, grad mode off, a layer"
                + " that is not on a path to the score)");
    RefusalTable.assertSays("no way from a recorded value to the score", djl.messages);
  }

  private static float[] activation(Capture capture, String path) {
    return capture.tensor(TensorName.activation(LayerOutput.of(path))).orElseThrow().toFloats();
  }

  private static float[] gradient(Capture capture, String path) {
    return capture.tensor(TensorName.gradient(0, LayerOutput.of(path))).orElseThrow().toFloats();
  }

  private ForwardHook<Block, NDList> note() {
    return (block, path, inputs, outputs) -> {
      seen.add(path);
      return null;
    };
  }

  private static Model load(boolean trainable) throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    model.load(ARCHIVES, "gap_linear.traced.pt", Map.of("trainParam", Boolean.toString(trainable)));
    return model;
  }

  /** A forward of training without a graph. */
  private static void forward(Model model) throws TranslateException {
    try (Trainer trainer = trainer(model)) {
      model.getBlock().freezeParameters(true);
      trainer.forward(new NDList(input(trainer.getManager())));
    }
  }

  private static Trainer trainer(Model model) {
    return model.newTrainer(new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()));
  }

  private static Step step(Model model) {
    try (Trainer trainer = trainer(model);
        GradientCollector collector = trainer.newGradientCollector()) {
      NDList outputs = trainer.forward(new NDList(input(trainer.getManager())));
      collector.backward(outputs.head().get(0).get(2));
      NDList gradients = new NDList();
      model
          .getBlock()
          .getParameters()
          .forEach(parameter -> gradients.add(parameter.getValue().getArray().getGradient()));
      return new Step(Nets.bytes(outputs), Nets.bytes(gradients));
    }
  }

  private static NDArray input(NDManager manager) {
    return Nets.input(manager, 1, 3, 48, 40);
  }
}
