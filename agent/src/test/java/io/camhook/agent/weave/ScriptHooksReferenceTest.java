package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What hooks inside TorchScript models see, compared with PyTorch's hooks. */
class ScriptHooksReferenceTest {
  private static final double TOLERANCE = 1e-4;
  private static final boolean ALL = "all".equals(System.getProperty("camhook.archives"));

  /** No modules inside; a result that DJL cannot convert. */
  private static final Set<String> NOT_LOOKED_INTO =
      Set.of("functional_only.scripted", "functional_only.traced", "namedtuple_output.scripted");

  /** No derivative; the tests' kernels round bfloat16 otherwise, see below. */
  private static final Set<String> WITHOUT_BACKWARD =
      Set.of("vit.traced_no_grad", "bfloat16.scripted", "bfloat16.traced");

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  static List<String> forward() throws IOException {
    return ALL
        ? all()
        : List.of(
            "one_conv.scripted",
            "gap_linear.traced",
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
            "unet.traced");
  }

  static List<String> backward() throws IOException {
    return ALL
        ? all().stream().filter(name -> !WITHOUT_BACKWARD.contains(name)).toList()
        : List.of(
            "one_conv.scripted",
            "gap_linear.traced",
            "resnet_basic.scripted",
            "residual_inplace.scripted",
            "shared_module.traced",
            "control_flow.scripted",
            "tuple_module.scripted",
            "dict_root.scripted",
            "recurrent.scripted",
            "float16.scripted",
            "multi_input.scripted");
  }

  private static List<String> all() throws IOException {
    try (Stream<Path> files = Files.list(HookTraceArchive.FOLDER)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".pt"))
          .map(file -> file.substring(0, file.length() - 3))
          .filter(name -> !NOT_LOOKED_INTO.contains(name))
          .filter(name -> !name.matches(".*[.](frozen|frozen_traced|inlined)"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("forward")
  void forward_hooks_should_see_what_pytorch_hooks_saw(String name) throws Exception {
    HookTraceArchive archive = HookTraceArchive.of(name);
    Map<String, float[]> seen = new LinkedHashMap<>();
    Map<String, Integer> calls = new HashMap<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
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
    for (HookTraceArchive.Output output : archive.outputs()) {
      assertThat(seen.keySet()).as(name).contains(output.label());
      assertThat(output.activationError(seen.get(output.label())))
          .as(name + " " + output.label())
          .isLessThan(TOLERANCE);
    }
  }

  /** The kernels of the other tests round bfloat16 gradients otherwise. */
  @Test
  @Tag("default-kernels")
  void backward_hooks_of_bfloat16_should_see_the_gradients_of_pytorch() throws Exception {
    backward_hooks_should_see_the_gradients_of_pytorch("bfloat16.scripted");
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
  @MethodSource("backward")
  void backward_hooks_should_see_the_gradients_of_pytorch(String name) throws Exception {
    HookTraceArchive archive = HookTraceArchive.of(name);
    Map<String, float[]> seen = new LinkedHashMap<>();
    Map<String, Integer> calls = new HashMap<>();
    Map<String, List<String>> keys = new HashMap<>();
    boolean mode = JniUtils.isGradMode();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
      JniUtils.setGradMode(true);
      NDList inputs = archive.inputs(manager);
      inputs.forEach(input -> input.setRequiresGradient(true));
      HookHandle forward =
          Hooks.registerForwardHook(
              model,
              "**",
              (Block block, String path, NDList in, NDList out) -> {
                String call = path + "#" + calls.merge(path, 1, Integer::sum);
                keys.put(call, out.stream().map(NDArray::getName).toList());
                return null;
              });
      HookHandle backward =
          Hooks.registerFullBackwardHook(
              model,
              "**",
              (Block block, String path, NDList gradInputs, NDList gradOutputs) -> {
                int call = calls.get(path);
                List<String> names = keys.get(path + "#" + call);
                for (int i = 0; i < gradOutputs.size(); i++) {
                  if (gradOutputs.get(i) != null) {
                    gradOutputs.get(i).setName(names.get(i));
                  }
                }
                add(seen, path, calls.merge(path, -1, Integer::sum), gradOutputs);
                return null;
              });
      NDList outputs = model.getBlock().forward(new ParameterStore(manager, false), inputs, true);
      NDArray logits = archive.logits(outputs);
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
    for (HookTraceArchive.Output output : archive.outputs()) {
      if (output.hasOwnGradient()) {
        assertThat(seen.keySet()).as(name).contains(output.label());
        assertThat(output.ownGradientError(seen.get(output.label())))
            .as(name + " " + output.label())
            .isLessThan(archive.gradientTolerance());
      }
    }
  }
}
