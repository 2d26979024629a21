package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What requests of TorchScript models capture, compared with PyTorch's hooks. */
class ScriptReferenceTest {
  private static final double TOLERANCE = 1e-4;
  private static final String OTHER_KERNELS = "with other kernels";
  private static final String NO_GRADIENTS = "is captured without gradients from now on";

  /** The last column: camhook's message about the model. */
  @ParameterizedTest
  @CsvSource({
    "one_conv.scripted,",
    "gap_linear.scripted,",
    "resnet_basic.scripted,",
    "squeezenet1_1.scripted,",
    "residual_inplace.scripted,",
    "shared_module.traced,",
    "control_flow.scripted,",
    "tuple_module.traced,",
    "dict_root.scripted,",
    "multi_input.scripted,",
    "unet.traced,",
    "swin.traced,'stochastic_depth: returns NoneType in this archive, so there is nothing to"
        + " record'",
    "vit.traced," + OTHER_KERNELS,
    "vit.traced_no_grad," + NO_GRADIENTS
  })
  void captures_should_hold_what_pytorch_hooks_saw(String name, @Nullable String message)
      throws Exception {
    HookTraceArchive archive = HookTraceArchive.of(name);
    Target target = new Target(Target.Kind.CLASS, 1, archive.scoredClass(), null);
    List<TreeMap<String, ByteBuffer>> plain = predict(archive);
    List<TreeMap<String, ByteBuffer>> watched;
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(target, "*"))) {
      watched = predict(archive);
      boolean gradients = !NO_GRADIENTS.equals(message);
      assertThat(djl.failures).hasSize(gradients ? 0 : 1);
      assertThat(djl.captured()).hasSize(watched.size());
      for (Capture capture : djl.captured()) {
        check(archive, capture, gradients);
      }
      assertThat(djl.messages).allMatch(m -> m.contains(message));
      if (!djl.messages.isEmpty()) { // not every processor has other kernels
        String row =
            OTHER_KERNELS.equals(message)
                ? "other kernels with gradients on"
                : gradients ? "nothing to record" : "an operator without a derivative";
        RefusalTable.assertSays(row, djl.messages);
      }
    }
    boolean otherKernels = OTHER_KERNELS.equals(message);
    if (!otherKernels) {
      assertThat(watched).isEqualTo(plain);
    }
    assertThat(watched.get(0)).isEqualTo(plain.get(0)); // compared, so the plain method's
  }

  /** The kernels of the other tests round bfloat16 gradients otherwise. */
  @Test
  @Tag("default-kernels")
  void captures_of_bfloat16_should_hold_what_pytorch_hooks_saw() throws Exception {
    captures_should_hold_what_pytorch_hooks_saw("bfloat16.traced", null);
  }

  /** The outputs, by name, of three requests. */
  private static List<TreeMap<String, ByteBuffer>> predict(HookTraceArchive archive)
      throws Exception {
    List<TreeMap<String, ByteBuffer>> outputs = new ArrayList<>();
    try (Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < 3; i++) {
          TreeMap<String, ByteBuffer> named = named(predictor.predict(archive.inputs(manager)));
          outputs.add(named);
          // Not a predictor's request, so never sampled: the plain method, between captured passes.
          NDList unsampled =
              model
                  .getBlock()
                  .forward(new ParameterStore(manager, false), archive.inputs(manager), false);
          assertThat(named(unsampled)).as(archive.name() + " unsampled").isEqualTo(outputs.get(0));
        }
      }
    }
    return outputs;
  }

  private static TreeMap<String, ByteBuffer> named(NDList outputs) {
    TreeMap<String, ByteBuffer> named = new TreeMap<>();
    for (NDArray output : outputs) {
      String key = output.getName() == null ? "" : output.getName();
      named.put(key + (named.containsKey(key) ? named.size() : ""), output.toByteBuffer());
    }
    return named;
  }

  private static void check(HookTraceArchive archive, Capture capture, boolean gradients)
      throws IOException {
    List<HookTraceArchive.Output> outputs = archive.outputs();
    assertThat(outputs).isNotEmpty();
    // Of a dict, whose order means nothing, the scores come first.
    assertThat(capture.tensor(TensorName.output(0)).orElseThrow().toFloats())
        .usingComparatorWithPrecision(1e-4f)
        .containsExactly(archive.tensors().tensors().get("logits").toFloats());
    for (HookTraceArchive.Output output : outputs) {
      String label = archive.name() + " " + output.label();
      LayerOutput layer = LayerOutput.parse(output.label());
      Tensor activation = capture.tensor(TensorName.activation(layer)).orElseThrow();
      assertThat(output.activationError(activation.toFloats()))
          .as(label + " activation")
          .isLessThan(TOLERANCE);
      if (!gradients) {
        assertThat(capture.tensor(TensorName.gradient(0, layer))).isEmpty();
      } else if (output.hasGradient() && !layer.path().equals(".")) {
        Tensor gradient = capture.tensor(TensorName.gradient(0, layer)).orElseThrow();
        assertThat(output.gradientError(gradient.toFloats()))
            .as(label + " gradient")
            .isLessThan(archive.gradientTolerance());
      }
    }
  }
}
