package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import app.nn.Scale;
import app.nn.Stack;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookMoment;
import io.camhook.dispatch.HookTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Kinds that only this test knows run on blocks, inside a TorchScript model and on plain objects.
 */
class HookKindTest {
  /** A hook that replaces one value. */
  private interface Replacing extends UnaryOperator<Object> {}

  private static final HookKind OUTPUT =
      new HookKind(
          "output replacer",
          Replacing.class,
          HookMoment.AFTER_FORWARD,
          (hook, of) -> ((Replacing) hook).apply(of.outputs()));

  private static final HookKind GRADIENT =
      new HookKind(
          "gradient replacer",
          Replacing.class,
          HookMoment.BEFORE_BACKWARD,
          (hook, of) -> ((Replacing) hook).apply(of.gradOutputs()));

  private final List<Runnable> removals = new ArrayList<>();

  @AfterEach
  void remove() {
    removals.forEach(Runnable::run);
  }

  private void add(HookKind kind, Object module, Replacing hook) {
    HookEntry entry = new HookEntry(kind, hook, false, true, null);
    removals.add(HookTable.add(module, entry, false));
  }

  @Test
  void kind_of_its_own_should_replace_values_of_a_block() {
    boolean gradMode = JniUtils.isGradMode();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      JniUtils.setGradMode(true);
      // y = 2 · x, then times 10; the gradient of y is times 5, so dy/dx = 10 · 5 · 2
      Block twice = Nets.twice();
      add(OUTPUT, twice, arrays -> new NDList(Nets.times(((NDList) arrays).head(), 10)));
      add(GRADIENT, twice, arrays -> new NDList(((NDList) arrays).head().mul(5)));
      NDArray x = manager.create(new float[] {3});
      x.setRequiresGradient(true);
      NDArray y =
          new SequentialBlock()
              .add(twice)
              .forward(new ParameterStore(manager, false), new NDList(x), true)
              .head();
      JniUtils.backward((PtNDArray) y, (PtNDArray) manager.ones(y.getShape()), false, false);
      assertThat(y.toFloatArray()).containsExactly(60);
      assertThat(x.getGradient().toFloatArray()).containsExactly(100);
      assertThat(djl.failures).isEmpty();
    } finally {
      JniUtils.setGradMode(gradMode);
    }
  }

  @Test
  void kind_of_its_own_should_replace_a_value_inside_a_torchscript_model() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model =
            ScriptLoading.PATH.load(
                Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt"));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      Object fc = Dispatch.engineOf(model).modules(model, "fc").get(0);
      add(OUTPUT, fc, arrays -> new NDList(((NDList) arrays).head().zerosLike()));
      NDArray scores =
          model
              .getBlock()
              .forward(
                  new ParameterStore(manager, false),
                  new NDList(manager.ones(new Shape(1, 3, 64, 64))),
                  false)
              .head();
      assertThat(scores.toFloatArray()).containsOnly(0);
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void kind_of_its_own_should_replace_values_of_a_plain_network() {
    try (WovenPlain woven =
        new WovenPlain("models: [{ name: n, class: app.nn.Layer, backward: backward }]")) {
      WovenPlain.installNoEngine();
      Scale layer = new Scale(2);
      add(OUTPUT, layer, y -> new float[] {10 * ((float[]) y)[0]});
      add(GRADIENT, layer, g -> new float[] {5 * ((float[]) g)[0]});
      Stack net = new Stack(layer);
      assertThat(net.forward(new float[] {3})).containsExactly(60);
      assertThat(net.backward(new float[] {1})).containsExactly(10); // 5 · 2
      assertThat(woven.messages).isEmpty();
    } finally {
      Dispatch.install(null);
    }
  }
}
