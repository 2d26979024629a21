package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What hooks inside of TorchScript models see, next to what PyTorch's hooks saw. */
class ScriptHooksReferenceTest {
  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "one_conv.scripted",
        "gap_linear.traced",
        "resnet_basic.traced",
        "resnet_basic.scripted",
        "residual_inplace.scripted",
        "shared_module.traced",
        "shared_module.scripted",
        "control_flow.scripted",
        "tuple_module.traced",
        "tuple_module.scripted",
        "dict_root.scripted",
        "multi_input.scripted",
        "attributes_scriptable.scripted",
        "recurrent.scripted",
        "float16.scripted",
        "unet.traced"
      })
  void forward_hooks_should_see_what_pytorch_hooks_saw(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    Map<String, float[]> seen = new LinkedHashMap<>();
    Map<String, Integer> calls = new HashMap<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(ReferenceArchive.FOLDER, archive.file());
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        NDList plain = predictor.predict(archive.inputs(manager));
        try (HookHandle handle =
            Hooks.registerForwardHook(
                model,
                "**",
                (Block block, String path, NDList inputs, NDList outputs) -> {
                  add(seen, path, calls.merge(path, 1, Integer::sum) - 1, outputs);
                  return null;
                })) {
          NDList hooked = predictor.predict(archive.inputs(manager));
          assertThat(Nets.bytes(hooked)).isEqualTo(Nets.bytes(plain));
        }
        assertThat(Nets.bytes(predictor.predict(archive.inputs(manager))))
            .isEqualTo(Nets.bytes(plain));
      }
      assertThat(djl.failures).isEmpty();
      assertThat(djl.messages).isEmpty();
    }
    for (ReferenceArchive.Output output : archive.outputs()) {
      assertThat(seen.keySet()).as(name).contains(output.label());
      assertThat(output.activationError(seen.get(output.label())))
          .as(name + " " + output.label())
          .isLessThan(TOLERANCE);
    }
  }

  private static void add(Map<String, float[]> seen, String path, int call, NDList outputs) {
    String label = path + (call == 0 ? "" : "#" + call);
    for (int i = 0; i < outputs.size(); i++) {
      NDArray output = outputs.get(i);
      if (output == null) {
        continue;
      }
      float[] values = output.toType(DataType.FLOAT32, false).toFloatArray();
      seen.put(label, values);
      seen.put(label + ":" + (output.getName() == null ? i : output.getName()), values);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "one_conv.scripted",
        "gap_linear.traced",
        "resnet_basic.traced",
        "resnet_basic.scripted",
        "residual_inplace.scripted",
        "shared_module.traced",
        "control_flow.scripted",
        "tuple_module.traced",
        "multi_input.scripted"
      })
  void backward_hooks_should_see_the_gradients_of_pytorch(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    Map<String, float[]> seen = new LinkedHashMap<>();
    Map<String, Integer> calls = new HashMap<>();
    boolean mode = JniUtils.isGradMode();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(ReferenceArchive.FOLDER, archive.file());
      JniUtils.setGradMode(true);
      NDList inputs = archive.inputs(manager);
      inputs.forEach(input -> input.setRequiresGradient(true));
      HookHandle forward =
          Hooks.registerForwardHook(
              model,
              "**",
              (Block block, String path, NDList in, NDList out) -> {
                calls.merge(path, 1, Integer::sum);
                return null;
              });
      HookHandle backward =
          Hooks.registerFullBackwardHook(
              model,
              "**",
              (Block block, String path, NDList gradInputs, NDList gradOutputs) -> {
                add(seen, path, calls.merge(path, -1, Integer::sum), gradOutputs);
                return null;
              });
      NDList outputs = model.getBlock().forward(new ParameterStore(manager, false), inputs, true);
      NDArray logits = outputs.head();
      NDArray seed = manager.zeros(logits.getShape());
      seed.set(new NDIndex(0, archive.scoredClass()), 1);
      JniUtils.backward((PtNDArray) logits, (PtNDArray) seed, false, false);
      forward.remove();
      backward.remove();
      assertThat(djl.failures).isEmpty();
      assertThat(djl.messages).isEmpty();
    } finally {
      JniUtils.setGradMode(mode);
    }
    for (ReferenceArchive.Output output : archive.outputs()) {
      if (output.hasGradient()) {
        assertThat(seen.keySet()).as(name).contains(output.label());
        assertThat(output.ownGradientError(seen.get(output.label())))
            .as(name + " " + output.label())
            .isLessThan(TOLERANCE);
      }
    }
  }
}
