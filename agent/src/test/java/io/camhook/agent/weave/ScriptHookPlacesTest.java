package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where hooks can be put inside of TorchScript models, from code and from YAML. */
class ScriptHookPlacesTest {
  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");
  private static final String GAP_LINEAR = "gap_linear.traced.pt";
  private static final ForwardHook<Block, NDList> LOOK = (block, path, inputs, outputs) -> null;

  @TempDir Path directory;

  /** A hook for the YAML; not public, like an application's may be. */
  static final class Noted implements ForwardHook<Block, NDList> {
    private static final Map<String, long[]> SHAPES = new ConcurrentHashMap<>();

    @Override
    public @Nullable NDList afterForward(
        Block block, String path, NDList inputs, @Nullable NDList outputs) {
      SHAPES.put(block + " at " + path, outputs.head().getShape().getShape());
      return null;
    }
  }

  @Test
  void hooks_of_the_yaml_should_be_put_inside() throws Exception {
    byte[] plain = plain();
    CamhookConfig.Model entry =
        entry(
            new CamhookConfig.Hook(List.of("*"), "stats", Map.of()),
            new CamhookConfig.Hook(List.of("features.*", "fc"), Noted.class.getName(), Map.of()));
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(directory.toString(), entry));
        Model model = load(GAP_LINEAR)) {
      assertThat(predict(model)).isEqualTo(plain);
      assertThat(predict(model)).isEqualTo(plain);
      djl.closeWatches();
      assertThat(djl.messages).isEmpty();
    }
    assertThat(Noted.SHAPES).hasSize(9).containsEntry("fc (Linear) at fc", new long[] {1, 8});
    assertThat(Noted.SHAPES.get("features.0 (Conv2d) at features.0")).hasSize(4);
    List<String> lines = Files.readAllLines(directory.resolve("stats.jsonl"));
    assertThat(lines)
        .hasSize(2 * 13)
        .anyMatch(line -> line.contains("\"step\":0,\"path\":\"features.0\",\"call\":0"))
        .anyMatch(line -> line.contains("\"step\":1,\"path\":\"fc\",\"call\":0"));
    assertThat(Dispatch.active).isFalse();
  }

  @Test
  void nan_guard_should_name_the_layer_inside() throws Exception {
    CamhookConfig.Model entry =
        entry(new CamhookConfig.Hook(List.of("*"), "nan-guard", Map.of("action", "throw")));
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(directory.toString(), entry));
        Model model = load(GAP_LINEAR);
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      // finite, but no sum of 27 such products is
      NDArray huge = manager.full(new Shape(1, 3, 48, 40), Float.MAX_VALUE);
      assertThatThrownBy(() -> predictor.predict(new NDList(huge)))
          .hasStackTraceContaining("model net, step 0, layer features.0 (Conv2d) produced");
    }
  }

  @Test
  void layer_of_the_yaml_that_is_not_there_should_be_one_line() throws Exception {
    CamhookConfig.Model entry =
        entry(new CamhookConfig.Hook(List.of("feature"), "print", Map.of()));
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(directory.toString(), entry));
        Model model = load(GAP_LINEAR)) {
      predict(model);
      assertThat(djl.messages)
          .containsExactly(
              "model net: hook print: layer 'feature' matches none of its 13 modules; closest:"
                  + " [features, features.0, features.1]");
    }
  }

  @Test
  void model_that_the_yaml_does_not_name_should_be_refused_with_what_to_do() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false));
        Model model = load(GAP_LINEAR)) {
      assertThatThrownBy(() -> Hooks.registerForwardHook(model, "features", LOOK))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "'features' is inside a TorchScript model: only '.', its input and output, takes"
                  + " hooks, because the model was loaded as it came; name the model or its file in"
                  + " 'models' of camhook.yaml before it is loaded, and hooks can look inside");
      Hooks.registerForwardHook(model, ".", LOOK).remove();
    }
  }

  @Test
  void paths_that_cannot_be_had_should_be_refused_with_the_reason() throws Exception {
    HookTraceArchive shared = HookTraceArchive.of("shared_module.traced");
    HookTraceArchive frozen = HookTraceArchive.of("resnet_inlined.frozen");
    HookTraceArchive inlined = HookTraceArchive.of("resnet_inlined.inlined");
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry()));
        Model gap = load(GAP_LINEAR);
        Model twice = load(shared);
        Model whole = load(frozen);
        Model flat = load(inlined)) {
      assertThatThrownBy(() -> Hooks.registerForwardHook(gap, "layer4", LOOK))
          .hasMessageContaining("'layer4' matches none of the 13 modules of PtSymbolBlock")
          .hasMessageContaining("closest: [");
      // registered under two names, of which the trace calls one
      assertThatThrownBy(() -> Hooks.registerForwardHook(twice, "second", LOOK))
          .hasMessageContaining("'second' is inside a TorchScript model, where hooks cannot look")
          .hasMessageContaining("forward never calls it in this archive");
      assertThatThrownBy(() -> Hooks.registerForwardHook(whole, "layer9", LOOK))
          .hasMessageContaining("'layer9' is inside a TorchScript model")
          .hasMessageContaining("the archive was frozen")
          .hasMessageContaining("its layers are the values of its operators");
      assertThatThrownBy(() -> Hooks.registerForwardHook(flat, "layer9", LOOK))
          .hasMessageContaining("the graph was inlined when it was saved");
      Hooks.registerForwardHook(whole, "relu#7", LOOK).remove();
      Hooks.registerForwardHook(whole, ".", LOOK).remove();
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void layer_of_the_yaml_that_cannot_be_had_should_be_one_line_with_the_reason() throws Exception {
    HookTraceArchive frozen = HookTraceArchive.of("resnet_inlined.frozen");
    CamhookConfig.Model entry =
        entry(new CamhookConfig.Hook(List.of("layer9", "."), "print", Map.of()));
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(directory.toString(), entry));
        Model model = load(frozen);
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predictor.predict(frozen.inputs(manager));
      assertThat(djl.messages).hasSize(2); // and what the hook prints of the model itself
      assertThat(djl.messages.get(0))
          .startsWith(
              "model net: hook print: 'layer9' is inside a TorchScript model, where hooks cannot"
                  + " look at it: the archive was frozen");
    }
  }

  @Test
  void module_should_say_that_it_runs_only_in_its_model() throws Exception {
    AtomicReference<Block> module = new AtomicReference<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry()));
        Model model = load(GAP_LINEAR);
        NDManager manager = NDManager.newBaseManager("PyTorch");
        HookHandle handle =
            Hooks.registerForwardHook(
                model,
                "fc",
                (Block block, String path, NDList inputs, NDList outputs) -> {
                  module.set(block);
                  return null;
                })) {
      predict(model);
      assertThatThrownBy(
              () -> module.get().forward(new ParameterStore(manager, false), new NDList(), false))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessage(
              "fc (Linear) is inside a TorchScript model and runs only as a part of it; call the"
                  + " model");
    }
  }

  @Test
  void sampled_request_should_be_captured_and_its_hooks_run_once() throws Exception {
    byte[] plain = plain();
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = load(GAP_LINEAR);
        HookHandle handle =
            Hooks.registerForwardHook(
                model,
                "*",
                (Block block, String path, NDList inputs, NDList outputs) -> {
                  seen.add(path);
                  return null;
                })) {
      for (int i = 0; i < 2; i++) {
        assertThat(predict(model)).isEqualTo(plain);
      }
      assertThat(seen).hasSize(2 * 13).startsWith("features.0").endsWith(".");
      assertThat(djl.captured()).hasSize(2).allMatch(capture -> hasGradient(capture, "features"));
      assertThat(djl.messages).isEmpty();
    }
  }

  private static boolean hasGradient(Capture capture, String path) {
    return capture.tensor(TensorName.gradient(0, LayerOutput.of(path))).isPresent();
  }

  @Test
  void hooks_for_all_modules_should_see_the_model_as_one_call() throws Exception {
    List<String> seen = new ArrayList<>();
    ForwardHook<Block, NDList> note =
        (block, path, inputs, outputs) -> {
          seen.add(block.getClass().getSimpleName() + " at " + path);
          return null;
        };
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry()));
        Model model = load(GAP_LINEAR);
        HookHandle all = Hooks.registerForwardHookForAllModules(note)) {
      predict(model);
      assertThat(seen).containsExactly("PtSymbolBlock at .");
      try (HookHandle inside = Hooks.registerForwardHook(model, "gap", LOOK)) {
        predict(model); // a hook inside does not make the others look inside
      }
      assertThat(seen).hasSize(2);
      try (HookHandle each = Hooks.registerForwardHook(model, "*", note)) {
        seen.clear();
        predict(model);
      }
      assertThat(seen).hasSize(13 + 1).contains("InnerModule at gap");
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void threads_should_see_their_own_passes() throws Exception {
    Map<Thread, List<float[]>> seen = new ConcurrentHashMap<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry()));
        Model model = load(GAP_LINEAR);
        HookHandle handle =
            Hooks.registerForwardHook(
                model,
                "fc",
                (Block block, String path, NDList inputs, NDList outputs) -> {
                  seen.computeIfAbsent(Thread.currentThread(), t -> new ArrayList<>())
                      .add(outputs.head().toFloatArray());
                  return null;
                })) {
      Map<Thread, List<float[]>> returned = new ConcurrentHashMap<>();
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        float shift = t;
        threads.add(new Thread(() -> returned.put(Thread.currentThread(), outputs(model, shift))));
      }
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        thread.join();
      }
      for (Thread thread : threads) {
        assertThat(seen.get(thread)).hasSize(25);
        for (int i = 0; i < 25; i++) {
          assertThat(seen.get(thread).get(i)).containsExactly(returned.get(thread).get(i));
        }
      }
      assertThat(returned.get(threads.get(0)).get(0))
          .isNotEqualTo(returned.get(threads.get(1)).get(0));
      assertThat(djl.failures).isEmpty();
    }
  }

  private static List<float[]> outputs(Model model, float shift) {
    List<float[]> outputs = new ArrayList<>();
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 25; i++) {
        NDArray x = Nets.input(manager, 1, 3, 48, 40).add(shift + i);
        outputs.add(predictor.predict(new NDList(x)).head().toFloatArray());
      }
      return outputs;
    } catch (TranslateException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void passes_should_leave_no_array_behind() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry()));
        Model model = load(GAP_LINEAR);
        NDManager manager = NDManager.newBaseManager("PyTorch");
        HookHandle handle = Hooks.registerForwardHook(model, "*", LOOK)) {
      NDList x = new NDList(Nets.input(manager, 1, 3, 48, 40));
      int before = 0;
      for (int i = 0; i < 110; i++) {
        if (i == 10) {
          before = arrays(manager);
        }
        model.getBlock().forward(new ParameterStore(manager, false), x, false).close();
      }
      assertThat(arrays(manager)).isEqualTo(before);
    }
  }

  private static int arrays(NDManager manager) {
    return ((BaseNDManager) manager).getManagedArrays().size();
  }

  private static CamhookConfig.Model entry(CamhookConfig.Hook... hooks) {
    return new CamhookConfig.Model(
        "net", List.of(), Set.<CaptureKind>of(), Target.TOP1, null, Arrays.asList(hooks), null);
  }

  private static byte[] plain() throws Exception {
    try (Model model = load(GAP_LINEAR)) {
      return predict(model);
    }
  }

  private static Model load(String file) throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    model.load(ARCHIVES, file);
    return model;
  }

  private static Model load(HookTraceArchive archive) throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    model.load(HookTraceArchive.FOLDER, archive.file());
    return model;
  }

  private static byte[] predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      return Nets.bytes(predictor.predict(new NDList(Nets.input(manager, 1, 3, 48, 40))));
    }
  }
}
