package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import org.junit.jupiter.api.Test;

class HookLeakTest {
  private static final int PASSES = 10_000;

  @Test
  void ten_thousand_passes_should_leave_no_native_array_behind() throws Exception {
    SequentialBlock net =
        new SequentialBlock().add(new LambdaBlock(list -> new NDList(list.head().mul(2f))));
    try (Model model = Nets.model("net", net, new Shape(1, 2));
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl =
            new WovenDjl(WovenDjl.config(0.1, false, WovenDjl.model(Target.TOP1, null, "*")));
        Predictor<float[], float[]> predictor = model.newPredictor(new Floats());
        HookHandle forward =
            Hooks.registerForwardHook(net, (Block m, String p, NDList in, NDList out) -> null);
        HookHandle backward =
            Hooks.registerFullBackwardHook(
                net, (Block m, String p, NDList in, NDList out) -> null)) {
      float[] x = {1, 2};
      boolean mode = JniUtils.isGradMode();
      JniUtils.setGradMode(true); // so that the backward hook makes its gates
      try {
        for (int i = 0; i < 100; i++) {
          predictor.predict(x);
        }
        djl.captured();
        int before = arrays(manager);
        for (int i = 0; i < PASSES; i++) {
          predictor.predict(x);
        }
        djl.captured();
        // gates of the last passes are swept by the next ones: 64 at most, with four arrays each
        assertThat(arrays(manager) - before).isLessThan(64 * 4);
        assertThat(djl.failures).isEmpty();
      } finally {
        JniUtils.setGradMode(mode);
      }
    }
    assertThat(Dispatch.active).isFalse();
  }

  /** As translators do: arrays belong to the request's own manager. */
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

  private static int arrays(NDManager manager) {
    return ((BaseNDManager) manager.getParentManager()).getManagedArrays().size();
  }
}
