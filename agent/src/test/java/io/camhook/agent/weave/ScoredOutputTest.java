package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Scored;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code output} and {@code classAxis} of the configuration, against Grad-CAM of plain PyTorch. */
class ScoredOutputTest {
  private static final Path CASES =
      Path.of(System.getProperty("camhook.reference", "../reference"), "cases");

  /** Of the largest value of a map: another libtorch rounds differently. */
  private static final double LIMIT = 1e-3;

  @ParameterizedTest
  @CsvSource({"tuple_output, 1, , 3", "boxes, , 2, 6", "two_heads, out, , 2"})
  void gradients_should_be_those_of_the_named_scores(
      String name, String output, Integer axis, int target) throws Exception {
    Assumptions.assumeTrue(Files.isDirectory(CASES), "no PyTorch reference data in " + CASES);
    String layer = name.equals("two_heads") ? "enc" : "conv";
    CamhookConfig.Model entry =
        new CamhookConfig.Model(
            "net",
            List.of(layer),
            EnumSet.allOf(CaptureKind.class),
            new Target(Target.Kind.CLASS, 1, target, null),
            null,
            List.of(),
            null,
            new Scored(output, axis));
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, false, entry));
        Model model = ScriptLoading.PATH.load(CASES.resolve(name + ".pt"));
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null));
        NDManager manager = NDManager.newBaseManager()) {
      Tensor input = tensor(name + ".safetensors", "input");
      predictor.predict(new NDList(manager.create(input.toFloats(), new Shape(input.shape()))));
      assertThat(djl.failures).isEmpty();
      Capture capture = djl.captured().get(0);
      float[] a = values(capture, TensorName.activation(LayerOutput.of(layer)));
      float[] g = values(capture, TensorName.gradient(0, LayerOutput.of(layer)));
      Tensor expected = tensor(name + ".expected.safetensors", "raw/" + layer);
      float[] map = gradCam(a, g, (int) expected.elements());
      float largest = 0;
      for (float v : expected.toFloats()) {
        largest = Math.max(largest, Math.abs(v));
      }
      assertThat(map).containsExactly(expected.toFloats(), Offset.offset((float) LIMIT * largest));
    }
  }

  /** Sum over the channels of their mean gradient times their activation. */
  private static float[] gradCam(float[] a, float[] g, int positions) {
    float[] map = new float[positions];
    for (int from = 0; from < a.length; from += positions) {
      double weight = 0;
      for (int p = 0; p < positions; p++) {
        weight += g[from + p] / positions;
      }
      for (int p = 0; p < positions; p++) {
        map[p] += (float) (weight * a[from + p]);
      }
    }
    return map;
  }

  private static float[] values(Capture capture, TensorName name) {
    return capture.tensor(name).orElseThrow().toFloats();
  }

  private static Tensor tensor(String file, String name) throws Exception {
    return Safetensors.read(CASES.resolve(file)).tensors().get(name);
  }
}
