package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Activations and gradients that the agent takes of running sessions, against PyTorch's. */
class OrtGradientTest {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

  private static CamhookConfig.Model model(Target target, List<String> layers) {
    return new CamhookConfig.Model(
        "*",
        layers,
        Set.copyOf(EnumSet.of(CaptureKind.ACTIVATION, CaptureKind.GRADIENT, CaptureKind.OUTPUT)),
        target,
        null,
        List.of(),
        null);
  }

  private static Target ofClass(int index) {
    return new Target(Target.Kind.CLASS, 1, index, null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gap_linear.l17", "resnet_basic.l17", "densenet.d18", "vit.l17"})
  void activations_and_gradients_should_be_those_of_pytorch(String name) throws Exception {
    OnnxReference reference = OnnxReference.of(name);
    List<String> paths = reference.available();
    CamhookConfig config =
        WovenDjl.config(
            1, false, model(ofClass(reference.network().scoredClass()), reference.withoutCalls()));
    try (WovenOrt woven = new WovenOrt(config);
        OrtSession session = environment.createSession(reference.file().toString());
        OrtSession.Result result = session.run(reference.inputs(environment))) {
      assertThat(result.size()).isPositive();
      Capture capture = woven.captured(1).get(0);
      assertThat(woven.failures).isEmpty();
      int compared = 0;
      for (HookTraceArchive.Output output : reference.network().outputs()) {
        LayerOutput layer = LayerOutput.parse(output.label());
        Tensor activation = capture.tensors().get(TensorName.activation(layer).toString());
        if (activation
            == null) { // the graph does not hold every value; those that it has are right
          assertThat(paths).doesNotContain(output.label());
          continue;
        }
        assertThat(output.activationError(activation.toFloats()))
            .as("A of " + output.label())
            .isLessThan(1e-4);
        if (output.hasGradient()) {
          Tensor gradient = capture.tensors().get(TensorName.gradient(0, layer).toString());
          assertThat(output.gradientError(gradient.toFloats()))
              .as("g of " + output.label())
              .isLessThan(1e-4);
        }
        compared++;
      }
      assertThat(compared).isGreaterThanOrEqualTo(paths.size());
    }
  }

  /** The gradient of each sample is that of its own target, as if it had been alone. */
  @Test
  void samples_of_a_batch_should_have_their_own_targets() throws Exception {
    OnnxReference reference = OnnxReference.of("gap_linear.l17");
    String layer = reference.value("features.4");
    Tensor one = reference.network().tensors().tensors().get("input");
    float[] first = one.toFloats();
    float[] second = new float[first.length];
    for (int i = 0; i < second.length; i++) {
      second[i] = -first[i];
    }
    long[] shape = one.shape();
    float[] both = new float[2 * first.length];
    System.arraycopy(first, 0, both, 0, first.length);
    System.arraycopy(second, 0, both, first.length, first.length);
    long[] two = shape.clone();
    two[0] = 2;
    CamhookConfig config =
        WovenDjl.config(1, false, model(new Target(Target.Kind.TOP, 2, -1, null), List.of(layer)));
    try (WovenOrt woven = new WovenOrt(config);
        OrtSession session = environment.createSession(reference.file().toString());
        OnnxTensor batch = OnnxReference.value(environment, Tensor.ofFloats(both, two));
        OnnxTensor a = OnnxReference.value(environment, Tensor.ofFloats(first, shape));
        OnnxTensor b = OnnxReference.value(environment, Tensor.ofFloats(second, shape))) {
      for (OnnxTensor input : List.of(batch, a, b)) {
        session.run(Map.of("input", input)).close();
      }
      Map<Long, List<Capture>> bySize = new LinkedHashMap<>();
      for (Capture capture : woven.captured(3)) {
        bySize
            .computeIfAbsent(capture.tensors().get("output.0").shape()[0], n -> new ArrayList<>())
            .add(capture);
      }
      Capture batched = bySize.get(2L).get(0);
      assertThat(batched.targets()).hasSize(4);
      for (int n = 0; n < 2; n++) {
        String name = TensorName.gradient(n, LayerOutput.of(layer)).toString();
        float[] all = batched.tensors().get(name).toFloats();
        int length = all.length / 2;
        for (int sample = 0; sample < 2; sample++) {
          float[] alone = bySize.get(1L).get(sample).tensors().get(name).toFloats();
          for (int i = 0; i < length; i++) {
            assertThat(all[sample * length + i]).isCloseTo(alone[i], within(1e-6f));
          }
        }
      }
      assertThat(woven.failures).isEmpty();
    }
  }
}
