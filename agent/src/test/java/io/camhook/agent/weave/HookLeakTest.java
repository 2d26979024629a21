package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * DJL's managers keep each array until they are closed, so what is left behind can be counted: the
 * arrays of a manager that lives longer than the passes.
 */
class HookLeakTest {
  private static final int PASSES = 10_000;
  private static final int TRACKED = 1000;
  private static final int WARM_UP = 100;

  @Test
  void ten_thousand_predictions_should_leave_no_native_array_behind() throws Exception {
    SequentialBlock net = twice();
    try (Model model = Nets.model("net", net, new Shape(1, 2));
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl =
            new WovenDjl(WovenDjl.config(0.1, false, WovenDjl.model(Target.TOP1, null, "*")));
        Predictor<float[], float[]> predictor = model.newPredictor(new Floats());
        Handles hooks = observe(net)) {
      float[] x = {1, 2};
      boolean mode = JniUtils.isGradMode();
      JniUtils.setGradMode(true); // so that the backward hook makes its cuts
      try {
        for (int i = 0; i < WARM_UP; i++) {
          predictor.predict(x);
        }
        djl.captured();
        int before = arrays(system(manager));
        for (int i = 0; i < PASSES; i++) {
          predictor.predict(x);
        }
        djl.captured();
        assertThat(arrays(system(manager))).isEqualTo(before);
        assertThat(djl.failures).isEmpty();
      } finally {
        JniUtils.setGradMode(mode);
      }
    }
    assertThat(Dispatch.active).isFalse();
    assertThat(Dispatch.gradients).isFalse();
  }

  @Test
  void hooks_should_add_nothing_to_what_djl_leaves_in_the_models_own_manager() throws Exception {
    int plain = leftByInference(false);
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false))) {
      assertThat(leftByInference(true)).isEqualTo(plain);
      assertThat(djl.failures).isEmpty();
    }
    assertThat(Dispatch.gradients).isFalse();
  }

  /** Arrays that 1000 passes and their gradients leave behind, if their outputs are closed. */
  private static int leftByInference(boolean hooked) {
    SequentialBlock net = new SequentialBlock().add(Linear.builder().setUnits(2).build());
    try (Model model = Nets.model("net", net, new Shape(1, 2));
        Handles hooks = hooked ? observe(net) : new Handles()) {
      NDManager manager = model.getNDManager();
      NDArray x = manager.create(new float[] {1, 2}, new Shape(1, 2));
      x.setRequiresGradient(true);
      ParameterStore store = new ParameterStore(manager, false);
      int before = 0;
      for (int i = 0; i < WARM_UP + TRACKED; i++) {
        if (i == WARM_UP) {
          before = arrays(manager);
        }
        try (GradientCollector collector = Engine.getInstance().newGradientCollector();
            NDList y = net.forward(store, new NDList(x), false);
            NDArray loss = y.head().sum()) {
          collector.backward(loss);
        }
      }
      // forward and backward of two modules in each pass
      assertThat(hooks.seen).isEqualTo(hooked ? 4L * (WARM_UP + TRACKED) : 0);
      return arrays(manager) - before;
    }
  }

  @Test
  void hooks_should_add_nothing_to_what_djl_leaves_in_a_trainers_manager() throws Exception {
    int plain = leftByTraining(false);
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false))) {
      assertThat(leftByTraining(true)).isEqualTo(plain);
      assertThat(djl.failures).isEmpty();
    }
    assertThat(Dispatch.gradients).isFalse();
  }

  /** Arrays that 1000 steps leave behind, if their batches live in the trainer's manager itself. */
  private static int leftByTraining(boolean hooked) throws Exception {
    SequentialBlock net =
        twice().add(Linear.builder().setUnits(3).build()).add(Linear.builder().setUnits(2).build());
    try (Model model = Model.newInstance("net", "PyTorch")) {
      model.setBlock(net);
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.l2Loss())
              .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(1e-3f)).build());
      try (Trainer trainer = model.newTrainer(config);
          Handles hooks = hooked ? observe(net) : new Handles()) {
        trainer.initialize(new Shape(1, 2));
        NDManager manager = trainer.getManager();
        NDArray x = manager.create(new float[] {1, 2}, new Shape(1, 2));
        NDArray label = manager.create(new float[] {1, 0}, new Shape(1, 2));
        int before = 0;
        for (int i = 0; i < WARM_UP + TRACKED; i++) {
          if (i == WARM_UP) {
            before = arrays(manager);
          }
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList y = trainer.forward(new NDList(x));
            collector.backward(trainer.getLoss().evaluate(new NDList(label), y));
            trainer.step();
          }
        }
        return arrays(manager) - before;
      }
    }
  }

  @Test
  void managers_end_should_end_what_hooks_keep_of_its_arrays() throws Exception {
    SequentialBlock net = twice();
    try (Model model = Nets.model("net", net, new Shape(1, 2));
        WovenDjl djl = new WovenDjl(WovenDjl.config(0, false));
        Handles hooks = observe(net)) {
      boolean mode = JniUtils.isGradMode();
      JniUtils.setGradMode(true);
      try (NDManager request = model.getNDManager().newSubManager()) {
        NDArray x = request.create(new float[] {1, 2}, new Shape(1, 2));
        x.setRequiresGradient(true);
        net.forward(new ParameterStore(request, false), new NDList(x), false);
        assertThat(Dispatch.gradients).isTrue();
      }
      assertThat(Dispatch.gradients).isTrue(); // the next backward could be the one of that graph
      try (NDManager other = model.getNDManager().newSubManager()) {
        NDArray x = other.ones(new Shape(1));
        x.setRequiresGradient(true);
        NDArray y = x.mul(2);
        JniUtils.backward((PtNDArray) y, (PtNDArray) other.ones(new Shape(1)), false, false);
      } finally {
        JniUtils.setGradMode(mode);
      }
      assertThat(Dispatch.gradients).isFalse();
    }
  }

  private static SequentialBlock twice() {
    return new SequentialBlock()
        .add(new LambdaBlock(list -> new NDList(list.head().add(list.head()))));
  }

  /** Handles that are closed together. */
  private static final class Handles implements AutoCloseable {
    private List<HookHandle> all = List.of();
    private long seen;

    @Override
    public void close() {
      all.forEach(HookHandle::remove);
    }
  }

  /** A forward and a backward hook on all modules of {@code net}. */
  private static Handles observe(SequentialBlock net) {
    Handles handles = new Handles();
    handles.all =
        List.of(
            Hooks.registerForwardHook(
                net,
                "**",
                (Block m, String p, NDList in, NDList out) -> {
                  handles.seen++;
                  return null;
                }),
            Hooks.registerFullBackwardHook(
                net,
                "**",
                (Block m, String p, NDList in, NDList out) -> {
                  handles.seen++;
                  return null;
                }));
    return handles;
  }

  /** Like a translator: arrays belong to the request's own manager. */
  private static final class Floats implements Translator<float[], float[]> {
    @Override
    public NDList processInput(TranslatorContext context, float[] input) {
      NDArray x = context.getNDManager().create(input, new Shape(1, input.length));
      x.setRequiresGradient(true);
      return new NDList(x);
    }

    @Override
    public float[] processOutput(TranslatorContext context, NDList list) {
      return list.head().toFloatArray();
    }

    @Override
    public Batchifier getBatchifier() {
      return null;
    }
  }

  private static NDManager system(NDManager manager) {
    return manager.getParentManager();
  }

  /** Arrays of the manager and of those below it. */
  private static int arrays(NDManager manager) {
    return ((BaseNDManager) manager).getManagedArrays().size();
  }
}
