package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Values without a dense layout in a graph of operators: oneDNN's blocks, as {@code
 * optimize_for_inference} makes them, and quantised ones. They are not available; dense values are,
 * and the application gets the same results as without camhook.
 */
class OpaqueOperatorsTest {
  /** y = relu(2x) + 1, of which the ReLU runs in oneDNN's layout. */
  private static final String BLOCKED =
      """
          doubled = torch.mul(x, 2.)
          blocked = torch.to_mkldnn(doubled)
          rectified = torch.relu(blocked)
          dense = torch.to_dense(rectified)
          y = torch.add(dense, 1.)
          return y
      """;

  /** y = 2x, rounded to halves, not less than 0, + 1: 13 is an unsigned byte. */
  private static final String QUANTISED =
      """
          doubled = torch.mul(x, 2.)
          quantised = torch.quantize_per_tensor(doubled, 0.5, 0, 13)
          dense = torch.dequantize(quantised)
          y = torch.add(dense, 1.)
          return y
      """;

  @TempDir Path directory;

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  private List<float[]> predict(String body, int times) throws Exception {
    SourceArchive.write(directory.resolve("net.pt"), SourceArchive.PART_OF_NONE + body);
    List<float[]> outputs = new ArrayList<>();
    try (Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(directory, "net.pt");
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < times; i++) {
          NDList input = new NDList(manager.create(new float[] {-1, 0.5f, 3}).expandDims(0));
          outputs.add(predictor.predict(input).head().toFloatArray());
        }
      }
    }
    return outputs;
  }

  private static float[] activation(Capture capture, String layer) {
    return capture.tensor(TensorName.activation(LayerOutput.of(layer))).orElseThrow().toFloats();
  }

  private static boolean hasGradient(Capture capture) {
    return capture.tensors().keySet().stream().anyMatch(name -> name.startsWith("gradient"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"mul", "to_dense", "add"})
  void dense_values_beside_blocked_ones_should_have_gradients(String layer) throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, layer))) {
      assertThat(predict(BLOCKED, 3)).allSatisfy(o -> assertThat(o).containsExactly(1, 2, 7));
      assertThat(djl.captured()).hasSize(3).allMatch(OpaqueOperatorsTest::hasGradient);
      assertThat(djl.messages).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"to_mkldnn", "relu", "*"})
  void blocked_values_should_be_recorded_dense_and_cost_only_their_own_gradients(String layer)
      throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, layer))) {
      assertThat(predict(BLOCKED, 3)).allSatisfy(o -> assertThat(o).containsExactly(1, 2, 7));
      Capture last = djl.captured().get(djl.captured().size() - 1);
      if (!layer.equals("relu")) {
        assertThat(activation(last, "to_mkldnn")).containsExactly(-2, 1, 6);
      }
      if (!layer.equals("to_mkldnn")) {
        assertThat(activation(last, "relu")).containsExactly(0, 1, 6);
      }
      if (layer.equals("*")) { // y = relu(2x) + 1 of -1, 0.5, 3: the top one is the third
        assertThat(last.tensors().keySet().stream().filter(name -> name.startsWith("gradient")))
            .containsExactlyInAnyOrder(
                "gradient/mul", "gradient/to_dense", "gradient/add", "gradient/.");
        assertThat(last.tensors().get("gradient/mul").toFloats()).containsExactly(0, 0, 1);
      } else {
        assertThat(hasGradient(last)).isFalse();
      }
      RefusalTable.assertSays("a value in oneDNN's blocked layout", djl.messages);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "quantize_per_tensor", "dequantize", "add"})
  void values_beside_quantised_ones_should_be_recorded(String layer) throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "add", layer))) {
      assertThat(predict(QUANTISED, 3)).allSatisfy(o -> assertThat(o).containsExactly(1, 2, 7));
      Capture last = djl.captured().get(djl.captured().size() - 1);
      boolean asked = layer.equals("*") || layer.equals("quantize_per_tensor");
      assertThat(djl.messages)
          .hasSize(asked ? 1 : 0)
          .allMatch(said -> said.contains("'activation/quantize_per_tensor' is missing"));
      assertThat(hasGradient(last)).isTrue(); // of what comes after
      assertThat(activation(last, "add")).containsExactly(1, 2, 7);
    }
  }

  @Test
  void hook_that_replaces_a_dense_value_should_work_beside_blocked_ones() throws Exception {
    SourceArchive.write(directory.resolve("net.pt"), SourceArchive.PART_OF_NONE + BLOCKED);
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(directory, "net.pt");
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched());
          HookHandle handle =
              BlockHooks.registerForwardHook(
                  model,
                  "to_dense",
                  (block, path, in, out) -> new NDList(out.head().mul(10)),
                  HookOptions.replacing())) {
        NDList input = new NDList(manager.create(new float[] {-1, 0.5f, 3}).expandDims(0));
        assertThat(predictor.predict(input).head().toFloatArray()).containsExactly(1, 11, 61);
      }
      assertThat(djl.messages).isEmpty();
    }
  }
}
