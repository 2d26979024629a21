package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.config.CamhookConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hooks of the YAML while a model is trained: forward, backward, and steps. */
class BuiltInTrainingTest {
  private static final float[] NO_BIAS = {0};

  @TempDir Path directory;

  /*
   * y = 2·x₀ + 3·x₁, L = (label − y)²/2, so ∂L/∂y = y − label. At x = (1, 2), label 6: y = 8, ∂L/∂y = 2.
   * A step of 0.1 against (2, 4) and, for the bias, 2 leaves w = (1.8, 2.6), b = −0.2: y = 6.8, ∂L/∂y = 0.8.
   */
  @Test
  void stats_should_have_activation_and_gradient_of_every_training_step() throws Exception {
    try (WovenDjl djl = woven("stats", Map.of());
        Training training = new Training(.1f, new float[] {2, 3}, false)) {
      training.step(new float[] {1, 2}, 6);
      training.step(new float[] {1, 2}, 6);
      djl.closeWatches();
      assertThat(djl.failures).isEmpty();
    }
    List<String> lines = Files.readAllLines(directory.resolve("stats.jsonl"));
    assertThat(lines).hasSize(2 * 2 * 2); // steps, modules, activation and gradient
    assertThat(lines.stream().filter(line -> line.contains("\"path\":\"01Linear\"")))
        .satisfiesExactly(
            line -> line(line, 0, "activation", 8),
            line -> line(line, 0, "gradient", 2),
            line -> line(line, 1, "activation", 6.8),
            line -> line(line, 1, "gradient", .8));
  }

  private static void line(String line, int step, String value, double mean) {
    assertThat(line)
        .contains("\"step\":" + step + ",", "\"value\":\"" + value + "\",", "\"shape\":[1,1],");
    double found = Double.parseDouble(line.replaceAll(".*\"mean\":([^,]*),.*", "$1"));
    // three float operations on values below 8
    assertThat(found).isCloseTo(mean, org.assertj.core.api.Assertions.within(4e-6));
    assertThat(line).contains("\"norm\":" + Math.abs(found) + ",");
  }

  /*
   * √y has no derivative at 0. y = 4·1 at first: √y = 2, ∂L/∂√y = 2 − 1, ∂L/∂y = 1/(2·2). A step of 8 against 1/4
   * for weight and bias leaves w = 2, b = −2: y = 0 in the second step, ∂L/∂y = −1/(2·0) = −∞.
   */
  @Test
  void nan_guard_should_name_the_layer_that_made_a_gradient_infinite_and_the_step()
      throws Exception {
    try (WovenDjl djl = woven("nan-guard", Map.of());
        Training training = new Training(8, new float[] {4}, true)) {
      training.step(new float[] {1}, 1);
      assertThat(djl.messages).isEmpty();
      training.step(new float[] {1}, 1);
      assertThat(djl.messages)
          .singleElement()
          .asString()
          .isEqualTo(
              "nan-guard: model net, step 1, layer 02LambdaBlock (LambdaBlock) produced infinity in"
                  + " backward; the gradient of its output: [1, 1] mean -1.000 std 0.000 min -1.000"
                  + " max -1.000 zeros 0.0 % norm 1.000");
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void nan_guard_that_throws_should_end_the_backward_and_leave_the_next_step_whole()
      throws Exception {
    try (WovenDjl djl = woven("nan-guard", Map.of("action", "throw"));
        Training training = new Training(8, new float[] {2, 0}, true)) {
      assertThatThrownBy(() -> training.step(new float[] {0, 1}, 1))
          .isInstanceOf(NonFiniteValueException.class)
          .hasMessageStartingWith(
              "nan-guard: model net, step 0, layer 02LambdaBlock (LambdaBlock) produced infinity in"
                  + " backward");
      assertThatThrownBy(() -> training.step(new float[] {-1, 1}, 1))
          .isInstanceOf(NonFiniteValueException.class)
          .hasMessageStartingWith(
              "nan-guard: model net, step 1, layer 02LambdaBlock (LambdaBlock) produced NaN in"
                  + " forward; its input: [1, 1] mean -2.000");
      assertThat(training.step(new float[] {8, 1}, 1)).isEqualTo(4); // √(2·8)
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void print_should_say_a_line_forward_and_backward() throws Exception {
    try (WovenDjl djl = woven("print", Map.of());
        Training training = new Training(.1f, new float[] {2, 3}, false)) {
      training.step(new float[] {1, 2}, 6);
      assertThat(djl.messages)
          .anyMatch(
              m ->
                  m.startsWith(
                      "model net, step 0, layer 01Linear (Linear): forward [1, 1] mean 8.000"))
          .anyMatch(
              m ->
                  m.startsWith(
                      "model net, step 0, layer 01Linear (Linear): backward [1, 1] mean 2.000"));
    }
  }

  private WovenDjl woven(String hook, Map<String, String> options) {
    CamhookConfig.Model model =
        new CamhookConfig.Model(
            "net",
            List.of(),
            Set.of(),
            CamhookConfig.Target.NONE,
            null,
            List.of(new CamhookConfig.Hook(List.of("*"), hook, options)),
            null);
    return new WovenDjl(WovenDjl.config(directory.toString(), model));
  }

  /** One linear unit without a bias at first, on request with a square root after it. */
  private static final class Training implements AutoCloseable {
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Trainer trainer;

    Training(float rate, float[] weights, boolean root) {
      Linear linear = Linear.builder().setUnits(1).build();
      SequentialBlock net = new SequentialBlock().add(linear);
      if (root) {
        net.add(new LambdaBlock(list -> new NDList(list.head().sqrt())));
      }
      Model model = Nets.model("net", net, new Shape(1, weights.length));
      trainer =
          model.newTrainer(
              new DefaultTrainingConfig(Loss.l2Loss())
                  .optOptimizer(
                      Optimizer.sgd().setLearningRateTracker(Tracker.fixed(rate)).build()));
      trainer.initialize(new Shape(1, weights.length));
      linear.getParameters().get("weight").getArray().set(weights);
      linear.getParameters().get("bias").getArray().set(NO_BIAS);
      open.add(trainer);
      open.add(model);
    }

    /** One step; returns the network's output. */
    float step(float[] x, float label) {
      try (NDManager batch = trainer.getManager().newSubManager();
          GradientCollector collector = trainer.newGradientCollector()) {
        NDArray input = batch.create(x, new Shape(1, x.length));
        NDList y = trainer.forward(new NDList(input));
        NDArray labels = batch.create(new float[] {label}, new Shape(1, 1));
        collector.backward(trainer.getLoss().evaluate(new NDList(labels), y));
        trainer.step();
        return y.head().getFloat();
      }
    }

    @Override
    public void close() throws Exception {
      for (AutoCloseable each : open) {
        each.close();
      }
    }
  }
}
