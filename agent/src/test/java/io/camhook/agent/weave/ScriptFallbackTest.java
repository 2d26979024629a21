package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** TorchScript models that cannot be captured as asked: the application must not notice. */
class ScriptFallbackTest {
  private static final Path ARCHIVES = Path.of("src/test/resources/torchscript");
  private static final LayerOutput FEATURES = LayerOutput.of("features");

  @TempDir Path directory;

  private static final String FROZEN =
      "%s: no layer '%s': the archive was frozen (torch.jit.freeze or optimize_for_inference put"
          + " every module into forward and its weights into constants); its layers are the values"
          + " of its operators; closest: [%s]";

  /** conv(x), by hand: weights 1 2 / 3 4 and -1 0 / 0 1, biases 0.5 and -0.5. */
  private static final float[] CONV = {1.5f, 3.5f, 16.5f, -6.5f, -0.5f, 0.5f, 1.5f, -4.5f};

  @Test
  void operator_without_derivative_should_cost_the_gradients_only() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      // The means of conv(x); nextafter moves each by one unit in the last place.
      List<float[]> outputs = predict("no_derivative.traced.pt", 4);
      assertThat(outputs)
          .allSatisfy(
              o -> assertThat(o).containsExactly(new float[] {3.75f, -0.75f}, within(1e-6f)));
      assertThat(djl.captured()).hasSize(4).allSatisfy(ScriptFallbackTest::holdsActivationOnly);
      assertThat(djl.failures).hasSize(1);
      assertThat(djl.messages)
          .containsExactly(
              "model net is captured without gradients from now on: the engine cannot differentiate"
                  + " it");
      RefusalTable.assertSays("an operator without a derivative", djl.messages);
    }
  }

  @Test
  void operator_that_fails_with_gradients_should_cost_the_gradients_and_one_capture()
      throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      List<float[]> outputs = predict("out_argument.traced.pt", 4);
      assertThat(outputs).allSatisfy(o -> assertThat(o).containsExactly(7.5f, -1.5f));
      assertThat(djl.captured()).hasSize(3).allSatisfy(ScriptFallbackTest::holdsActivationOnly);
      assertThat(djl.failures).hasSize(1);
      assertThat(djl.messages)
          .containsExactly(
              "model net is captured without gradients from now on: it fails when its activations"
                  + " require gradients");
      RefusalTable.assertSays("an operator that fails where gradients are required", djl.messages);
    }
  }

  private static void holdsActivationOnly(Capture capture) {
    assertThat(capture.tensor(TensorName.activation(FEATURES)).orElseThrow().toFloats())
        .containsExactly(CONV);
    assertThat(capture.tensors().keySet()).noneMatch(name -> name.startsWith("gradient"));
    assertThat(capture.targets()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "mask, ",
        "index, ",
        "sparse, captured without gradients from now on: it fails when its activations require",
        "spectrum, 'activation/spectrum' is missing in its captures: a tensor of complex64",
        // too
        "quant, 'activation/quant' is missing in its captures: Creation of quantized tensor"
      })
  void outputs_that_are_no_plain_floats_should_not_harm_anything_else(
      String layer, @Nullable String message) throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, layer, "features"))) {
      List<float[]> outputs = predict("odd_types.traced.pt", 4);
      assertThat(outputs).allSatisfy(o -> assertThat(o).containsExactly(26.5f, 4.75f));
      List<Capture> captures = djl.captured();
      assertThat(captures)
          .hasSizeGreaterThanOrEqualTo(3) // one may be lost to learn that gradients fail
          .allSatisfy(
              capture ->
                  assertThat(
                          capture.tensor(TensorName.activation(FEATURES)).orElseThrow().toFloats())
                      .containsExactly(CONV));
      assertThat(djl.messages).hasSize(message == null ? 0 : 1).allMatch(m -> m.contains(message));
      boolean recorded = message == null || layer.equals("sparse");
      if (!recorded) {
        RefusalTable.assertSays("results that are complex or quantized", djl.messages);
      }
      assertThat(captures)
          .allMatch(
              capture ->
                  capture.tensor(TensorName.activation(LayerOutput.of(layer))).isPresent()
                      == recorded);
    }
  }

  /** Instead of an engine with two kernels: a model that checks whether gradients are on. */
  @Test
  void outputs_that_are_others_with_gradients_should_be_said_once() throws Exception {
    String body =
        """
            part = self.part
            y = (part).forward(x, )
            if ops.prim.requires_grad(y):
              z = torch.add(y, 1.)
            else:
              z = y
            return z
        """;
    Path file =
        SourceArchive.write(
            directory.resolve("net.pt"),
            SourceArchive.source("Tensor", "    return torch.relu(x)\n") + body);
    for (boolean exact : new boolean[] {false, true}) {
      CamhookConfig.Model entry = WovenDjl.model(Target.TOP1, null, "part");
      try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, exact, entry));
          Model model = ScriptLoading.PATH.load(file);
          NDManager manager = NDManager.newBaseManager("PyTorch");
          Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < 3; i++) {
          NDList input = new NDList(manager.create(new float[] {1, -2, 3}, new Shape(1, 3)));
          float[] output = predictor.predict(input).head().toFloatArray();
          if (exact || i == 0) {
            assertThat(output).containsExactly(1, 0, 3);
          } else {
            assertThat(output).containsExactly(2, 1, 4);
          }
        }
        assertThat(djl.messages).hasSize(1);
        RefusalTable.assertSays("other kernels with gradients on", djl.messages);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ScriptLoading.class)
  void path_that_a_frozen_archive_lacks_should_be_said(ScriptLoading loading) throws Exception {
    Path file = ARCHIVES.resolve("small.frozen.pt");
    byte[] plain = logits(loading, file);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "blocks.0", "."))) {
      assertThat(logits(loading, file)).isEqualTo(plain);
      String name = loading == ScriptLoading.PATH ? "small.frozen.pt" : "net.pt";
      assertThat(djl.messages)
          .containsExactly(FROZEN.formatted(name, "blocks.0", "slice, slice#1, slice#2"));
      RefusalTable.assertSays("frozen, or optimized for inference", djl.messages);
      checkRoot(djl.captured());
    }
  }

  @Test
  void archive_optimized_for_inference_should_have_its_operators() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, ".", "relu", "2"));
        Model model = ScriptLoading.PATH.load(ARCHIVES.resolve("linear.optimized.pt"));
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 3; i++) {
        NDList input = new NDList(manager.create(new float[] {1, 0.5f}, new Shape(1, 2)));
        // relu(1·1 + 2·0.5 + 0.5, 3·1 - 4·0.5) = (2.5, 1); (2.5 + 1, 2·1 - 1)
        assertThat(predictor.predict(input).head().toFloatArray()).containsExactly(3.5f, 1);
      }
      assertThat(djl.messages)
          .containsExactly(FROZEN.formatted("linear.optimized.pt", "2", "., add, relu"));
      LayerOutput relu = LayerOutput.of("relu");
      assertThat(djl.captured())
          .hasSize(3)
          .allSatisfy(
              capture -> {
                assertThat(capture.tensor(TensorName.activation(relu)).orElseThrow().toFloats())
                    .containsExactly(2.5f, 1);
                // the first score is the sum of both
                assertThat(capture.tensor(TensorName.gradient(0, relu)).orElseThrow().toFloats())
                    .containsExactly(1, 1);
              });
    }
  }

  @Test
  void archive_that_the_engine_refuses_should_fail_as_without_camhook() throws Exception {
    // oneDNN's constants, which optimize_for_inference makes of convolutions, cannot be read back
    Path file = ARCHIVES.resolve("small.optimized.pt");
    Throwable plain = catchThrowable(() -> ScriptLoading.PATH.load(file));
    assertThat(plain).isInstanceOf(EngineException.class);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "*"))) {
      assertThatThrownBy(() -> ScriptLoading.PATH.load(file))
          .isInstanceOf(EngineException.class)
          .hasMessage(plain.getMessage());
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void hook_on_a_frozen_model_should_fire_for_the_whole() throws Exception {
    List<String> seen = new ArrayList<>();
    ForwardHook<Block, NDList> hook =
        (block, path, inputs, outputs) -> {
          seen.add(path);
          return null;
        };
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "."));
        Model model = ScriptLoading.PATH.load(ARCHIVES.resolve("small.frozen.pt"));
        HookHandle handle = Hooks.registerForwardHook(model.getBlock(), hook)) {
      logits(model);
      assertThat(seen).containsExactly(".", ".", ".");
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void hook_on_an_operator_should_see_its_value() throws Exception {
    List<float[]> seen = new ArrayList<>();
    ForwardHook<Block, NDList> hook =
        (block, path, inputs, outputs) -> {
          assertThat(path).isEqualTo("relu");
          seen.add(inputs.head().toFloatArray());
          seen.add(outputs.head().toFloatArray());
          return null;
        };
    try (WovenDjl djl =
            new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null, ".")));
        Model model = ScriptLoading.PATH.load(ARCHIVES.resolve("linear.optimized.pt"));
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched());
        HookHandle handle = Hooks.registerForwardHook(model, "input0", hook)) {
      NDList input = new NDList(manager.create(new float[] {1, -2}, new Shape(1, 2)));
      // relu(1·1 - 2·2 + 0.5, 3·1 + 4·2) = relu(-2.5, 11); (0 + 11, 2·11 - 1)
      assertThat(predictor.predict(input).head().toFloatArray()).containsExactly(11, 21);
      assertThat(seen).hasSize(2);
      assertThat(seen.get(0)).containsExactly(-2.5f, 11);
      assertThat(seen.get(1)).containsExactly(0, 11);
      assertThat(djl.messages).isEmpty();
    }
  }

  private static void checkRoot(List<Capture> captures) {
    LayerOutput root = LayerOutput.of(".");
    assertThat(captures)
        .hasSize(3)
        .allSatisfy(
            capture -> {
              assertThat(capture.layers()).containsExactly(root);
              assertThat(capture.tensor(TensorName.activation(root)).orElseThrow().data())
                  .isEqualTo(capture.tensor(TensorName.output(0)).orElseThrow().data());
            });
  }

  private static byte[] logits(ScriptLoading loading, Path file) throws Exception {
    try (Model model = loading.load(file)) {
      return logits(model);
    }
  }

  /** The result of three requests, which must agree. */
  private static byte[] logits(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      byte[] first = Nets.bytes(predictor.predict(new NDList(Nets.input(manager, 1, 3, 8, 6))));
      for (int i = 0; i < 2; i++) {
        assertThat(Nets.bytes(predictor.predict(new NDList(Nets.input(manager, 1, 3, 8, 6)))))
            .isEqualTo(first);
      }
      return first;
    }
  }

  private static List<float[]> predict(String name, int requests) throws Exception {
    List<float[]> outputs = new ArrayList<>();
    try (Model model = ScriptLoading.PATH.load(ARCHIVES.resolve(name));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < requests; i++) {
          float[] values = {1, -2, 3, 0, 1, -1, 2, 2, -3};
          NDList input = new NDList(manager.create(values, new Shape(1, 1, 3, 3)));
          outputs.add(predictor.predict(input).head().toFloatArray());
        }
      }
    }
    return outputs;
  }
}
