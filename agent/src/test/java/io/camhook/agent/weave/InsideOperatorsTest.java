package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Operators in the code of modules as layers: {@code part/relu#1}. */
class InsideOperatorsTest {
  /** relu(relu(x) - 1). */
  private static final String PART =
      SourceArchive.source(
          "Tensor",
          """
              a = torch.relu(x)
              b = torch.sub(a, 1.)
              c = torch.relu(b)
              return c
          """);

  private static final String CHAIN =
      PART
          + """
              y = torch.add((self.part).forward(x, ), 1.)
              return (self.other).forward(y, )
          """;

  private static final String TWICE =
      PART
          + """
              y = torch.add((self.part).forward(x, ), 1.)
              return (self.part).forward(y, )
          """;

  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");
  private static final ForwardHook<Block, NDList> LOOK = (block, path, inputs, outputs) -> null;

  @TempDir Path directory;

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  private Model load(String source) throws Exception {
    SourceArchive.write(directory.resolve("net.pt"), source);
    Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
    model.load(directory, "net.pt");
    return model;
  }

  private static float[] predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      NDArray input = manager.create(new float[] {-1, 0.5f, 3}, new Shape(1, 3));
      return predictor.predict(new NDList(input)).head().toFloatArray();
    }
  }

  private static CamhookConfig looking(CamhookConfig.Hook... hooks) {
    return WovenDjl.config(
        0,
        false,
        new CamhookConfig.Model(
            "net", List.of(), Set.of(), Target.TOP1, null, List.of(hooks), null));
  }

  private static Map<String, List<Float>> activations(Capture capture) {
    Map<String, List<Float>> values = new LinkedHashMap<>();
    for (LayerOutput layer : capture.layers()) {
      List<Float> floats = new ArrayList<>();
      for (float f : capture.tensor(TensorName.activation(layer)).orElseThrow().toFloats()) {
        floats.add(f);
      }
      values.put(layer.toString(), floats);
    }
    return values;
  }

  @Test
  void sampled_request_should_record_value_and_gradient() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part/relu#1", "./add"));
        Model model = load(CHAIN)) {
      for (int i = 0; i < 3; i++) {
        // (-1, 0.5, 3) → relu (0, 0.5, 3) → -1, relu (0, 0, 2) → +1 (1, 1, 3) → -1 (0, 0, 2)
        assertThat(predict(model)).containsExactly(0, 0, 2);
      }
      assertThat(djl.messages).isEmpty();
      assertThat(djl.failures).isEmpty();
      assertThat(djl.captured())
          .hasSize(3)
          .allSatisfy(
              capture -> {
                assertThat(activations(capture))
                    .containsExactly(
                        Map.entry("part/relu#1", List.of(0f, 0f, 2f)),
                        Map.entry("./add", List.of(1f, 1f, 3f)));
                TensorName gradient = TensorName.gradient(0, new LayerOutput("part/relu", 1, null));
                assertThat(capture.tensor(gradient).orElseThrow().toFloats())
                    .containsExactly(0, 0, 1);
              });
    }
  }

  @Test
  void operators_of_a_module_that_runs_twice_should_have_names_of_their_own() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part/relu*"));
        Model model = load(TWICE)) {
      predict(model);
      assertThat(djl.messages).isEmpty();
      assertThat(activations(djl.captured().get(0)))
          .containsOnly(
              Map.entry("part/relu@0", List.of(0f, 0.5f, 3f)),
              Map.entry("part/relu@1", List.of(0f, 0f, 2f)),
              Map.entry("part/relu@0#1", List.of(1f, 1f, 3f)),
              Map.entry("part/relu@1#1", List.of(0f, 0f, 2f)));
    }
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part/relu#1"));
        Model model = load(TWICE)) {
      predict(model);
      assertThat(djl.messages).isEmpty();
      assertThat(activations(djl.captured().get(0)))
          .containsOnlyKeys("part/relu@1", "part/relu@1#1");
    }
  }

  @Test
  void hooks_should_look() throws Exception {
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(looking());
        Model model = load(CHAIN);
        HookHandle handle =
            BlockHooks.registerForwardHook(
                model,
                "part/relu#1",
                (block, path, inputs, outputs) -> {
                  assertThat(inputs.head().toFloatArray()).containsExactly(-1, -0.5f, 2);
                  assertThat(outputs.head().toFloatArray()).containsExactly(0, 0, 2);
                  seen.add(block + " at " + path);
                  return null;
                })) {
      assertThat(predict(model)).containsExactly(0, 0, 2);
      assertThat(seen).containsExactly("part/relu#1 (relu) at part/relu#1");
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void globs_should_mean_operators_after_a_slash_and_modules_without_one() throws Exception {
    List<String> seen = new ArrayList<>();
    ForwardHook<Block, NDList> note =
        (block, path, inputs, outputs) -> {
          seen.add(path);
          return null;
        };
    try (WovenDjl djl = new WovenDjl(looking());
        Model model = load(CHAIN)) {
      for (String layers : List.of("*/relu*", "part/*", "./*", "*")) {
        seen.clear();
        try (HookHandle handle = BlockHooks.registerForwardHook(model, layers, note)) {
          predict(model);
        }
        assertThat(seen)
            .containsExactlyElementsOf(
                switch (layers) {
                  case "*/relu*" ->
                      List.of("part/relu", "part/relu#1", "other/relu", "other/relu#1");
                  case "part/*" -> List.of("part/relu", "part/sub", "part/relu#1");
                  case "./*" -> List.of("./add");
                  default -> List.of("part", "other", ".");
                });
      }
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void hooks_should_replace() throws Exception {
    try (WovenDjl djl = new WovenDjl(looking());
        Model model = load(CHAIN)) {
      try (HookHandle handle =
          BlockHooks.registerForwardHook(
              model,
              "part/relu",
              (block, path, inputs, outputs) -> new NDList(outputs.head().mul(10)),
              HookOptions.replacing())) {
        // (0, 5, 30) → (0, 4, 29) → (1, 5, 30) → (0, 4, 29)
        assertThat(predict(model)).containsExactly(0, 4, 29);
      }
      try (HookHandle handle =
          BlockHooks.registerForwardPreHook(
              model,
              "other/sub",
              (block, path, inputs) -> new NDList(inputs.head().add(2)),
              HookOptions.replacing())) {
        // (1, 1, 3) + 2 - 1
        assertThat(predict(model)).containsExactly(2, 2, 4);
      }
      assertThat(predict(model)).containsExactly(0, 0, 2);
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void backward_hooks_should_see_gradients() throws Exception {
    List<float[]> seen = new ArrayList<>();
    boolean gradMode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
    try (WovenDjl djl = new WovenDjl(looking());
        Model model = load(CHAIN);
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        HookHandle handle =
            BlockHooks.registerFullBackwardHook(
                model,
                "part/relu#1",
                (block, path, gradInputs, gradOutputs) -> {
                  seen.add(gradInputs.head().toFloatArray());
                  seen.add(gradOutputs.head().toFloatArray());
                  return null;
                })) {
      NDArray x = manager.create(new float[] {-1, 0.5f, 3}, new Shape(1, 3));
      x.setRequiresGradient(true);
      NDArray y =
          model.getBlock().forward(new ParameterStore(manager, false), new NDList(x), true).head();
      JniUtils.backward((PtNDArray) y, (PtNDArray) manager.full(y.getShape(), 2), false, false);
      // 2 where relu(1, 1, 3) - 1 is above 0; through the ReLU where (-1, -0.5, 2) is
      assertThat(seen.get(1)).containsExactly(0, 0, 2);
      assertThat(seen.get(0)).containsExactly(0, 0, 2);
      assertThat(seen).hasSize(2);
      assertThat(djl.messages).isEmpty();
    } finally {
      JniUtils.setGradMode(gradMode);
    }
  }

  @Test
  void hooks_of_the_yaml_should_be_put_inside() throws Exception {
    CamhookConfig.Hook hook =
        new CamhookConfig.Hook(List.of("*/relu#1", "./add"), "print", Map.of());
    try (WovenDjl djl = new WovenDjl(looking(hook));
        Model model = load(CHAIN)) {
      predict(model);
      assertThat(djl.messages)
          .hasSize(3)
          .anyMatch(line -> line.contains("part/relu#1 (relu)"))
          .anyMatch(line -> line.contains("./add (add)"))
          .anyMatch(line -> line.contains("other/relu#1 (relu)"));
    }
  }

  @Test
  void sampled_request_and_its_hooks_should_see_one_pass() throws Exception {
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part/relu#1"));
        Model model = load(CHAIN);
        HookHandle handle =
            BlockHooks.registerForwardHook(
                model,
                "*/relu*",
                (block, path, inputs, outputs) -> {
                  seen.add(path);
                  return null;
                })) {
      predict(model);
      assertThat(seen).hasSize(4);
      assertThat(activations(djl.captured().get(0)))
          .containsExactly(Map.entry("part/relu#1", List.of(0f, 0f, 2f)));
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void wrong_names_should_get_the_nearest_operators() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part/rely"));
        Model model = load(CHAIN)) {
      assertThat(djl.messages)
          .containsExactly(
              "net.pt: no operator 'part/rely' among its 7; closest: [part/relu, part/relu#1,"
                  + " part/sub]");
      assertThatThrownBy(() -> BlockHooks.registerForwardHook(model, "part/rely", LOOK))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'part/rely' matches none of the 7 operators of PtSymbolBlock")
          .hasMessageContaining("closest: [part/relu, part/relu#1, part/a]");
    }
  }

  @Test
  void operator_of_a_leaf_should_be_hooked_where_the_configuration_names_it() throws Exception {
    try (WovenDjl djl = new WovenDjl(looking());
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch")) {
      model.load(ARCHIVES, "gap_linear.traced.pt");
      assertThatThrownBy(() -> BlockHooks.registerForwardHook(model, "fc/linear", LOOK))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'fc/linear' is inside a TorchScript model")
          .hasMessageContaining("hook the module, or name the operator in camhook.yaml");
    }
    CamhookConfig.Model named =
        new CamhookConfig.Model(
            "net", List.of("fc/*"), Set.of(), Target.TOP1, null, List.of(), null);
    List<String> seen = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, named));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch")) {
      model.load(ARCHIVES, "gap_linear.traced.pt");
      try (HookHandle handle =
              BlockHooks.registerForwardHook(
                  model,
                  "fc/linear",
                  (block, path, inputs, outputs) -> {
                    seen.add(path);
                    return null;
                  });
          NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
          Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        predictor.predict(new NDList(Nets.input(manager, 1, 3, 48, 40)));
      }
      assertThat(seen).containsExactly("fc/linear");
      assertThat(djl.messages).isEmpty();
    }
  }
}
