package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Pair;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HookedTrainingTest {
  @Test
  void observing_hooks_should_leave_50_steps_of_training_bit_identical() throws Exception {
    byte[] plain = train(50, model -> List.of());
    AtomicInteger seen = new AtomicInteger();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false))) {
      byte[] hooked = train(50, model -> observeEverything(model.getBlock(), seen));
      assertThat(djl.failures).isEmpty();
      assertThat(Arrays.equals(hooked, plain)).isTrue();
    }
    // 6 modules: pre and forward hooks for each, backward hooks for each
    assertThat(seen.get()).isEqualTo(50 * 6 * 4);
  }

  private static List<HookHandle> observeEverything(Block root, AtomicInteger seen) {
    return List.of(
        Hooks.registerForwardPreHook(
            root,
            "*",
            (Block m, String p, NDList in) -> {
              seen.incrementAndGet();
              return null;
            }),
        Hooks.registerForwardHook(
            root,
            "*",
            (Block m, String p, NDList in, NDList out) -> {
              seen.incrementAndGet();
              return null;
            }),
        Hooks.registerFullBackwardPreHook(
            root,
            "*",
            (Block m, String p, NDList out) -> {
              seen.incrementAndGet();
              return null;
            }),
        Hooks.registerFullBackwardHook(
            root,
            "*",
            (Block m, String p, NDList in, NDList out) -> {
              seen.incrementAndGet();
              return null;
            }));
  }

  private interface Registration {
    List<HookHandle> on(Model model);
  }

  /** Trains a small network on fixed inputs; the parameters as bytes. */
  private static byte[] train(int steps, Registration registration) throws Exception {
    try (Model model = Nets.mlp("net")) {
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
              .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.05f)).build());
      List<HookHandle> handles = new ArrayList<>();
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(4, 64));
        handles.addAll(registration.on(model));
        for (int step = 0; step < steps; step++) {
          try (NDManager batch = trainer.getManager().newSubManager();
              GradientCollector collector = trainer.newGradientCollector()) {
            NDArray x = Nets.input(batch, 4, 64).add(step % 7 / 10f);
            NDArray labels = batch.create(new float[] {0, 1, 2, 3}, new Shape(4, 1));
            NDList y = trainer.forward(new NDList(x));
            collector.backward(trainer.getLoss().evaluate(new NDList(labels), y));
            trainer.step();
          }
        }
      } finally {
        handles.forEach(HookHandle::remove);
      }
      for (Pair<String, Parameter> parameter : model.getBlock().getParameters()) {
        assertThat(parameter.getValue().getArray().isNaN().any().getBoolean())
            .as(parameter.getKey() + " has a value that is not a number")
            .isFalse();
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      model.getBlock().saveParameters(new DataOutputStream(bytes));
      return bytes.toByteArray();
    }
  }

  @Test
  void double_backward_through_a_hooked_block_should_be_refused_with_its_name() {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false));
        Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      boolean mode = JniUtils.isGradMode();
      JniUtils.setGradMode(true);
      try (HookHandle handle =
          Hooks.registerFullBackwardHook(
              model.getBlock(), "03Conv2d", (Block m, String p, NDList in, NDList out) -> null)) {
        NDArray x = Nets.input(manager, 1, 1, 8, 8);
        NDArray loss =
            model
                .getBlock()
                .forward(new ParameterStore(manager, false), new NDList(x), false)
                .head()
                .sum();
        assertThatThrownBy(
                () -> JniUtils.backward((PtNDArray) loss, (PtNDArray) loss.onesLike(), true, true))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("01SequentialBlock.03Conv2d (Conv2d)");
      } finally {
        JniUtils.setGradMode(mode);
      }
    }
  }

  @Test
  void registration_without_the_agent_should_name_the_missing_flag() {
    assertThatThrownBy(
            () ->
                Hooks.registerForwardHook(
                    new Object(), (Object m, String p, Object in, Object out) -> null))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("-javaagent:camhook-agent.jar")
        .hasMessageContaining("camhook.selfAttach=true");
  }

  @Test
  void path_that_matches_nothing_should_be_refused_with_the_closest() {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false));
        Model model = Nets.cnn("net")) {
      assertThatThrownBy(
              () ->
                  Hooks.registerForwardHook(
                      model, "03Conv", (Block m, String p, NDList in, NDList out) -> null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'03Conv' matches none of the 9 modules");
    }
  }
}
