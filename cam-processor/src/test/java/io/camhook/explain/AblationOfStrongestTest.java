package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ablation-CAM of the strongest channels only. */
class AblationOfStrongestTest {
  private static final int CHANNELS = 16;

  /** With the closed form, and running what follows the layer; a clone has the first. */
  static List<String> cases() {
    return Stream.of("mobilenet_v2_non_square", "squeezenet_both_tiger_cat")
        .filter(name -> Files.exists(ReferenceCase.folder().resolve(name + ".json")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void weights_of_the_strongest_channels_should_be_those_of_pytorch_grad_cam(String name)
      throws IOException {
    ReferenceCase one = ReferenceCase.named(name);
    ModelInput input = ModelInput.of(one.name(), one.tensor("input"));
    RunOptions options =
        RunOptions.forInput(input.tensors().get(0)).withBatch(8).withChannels(CHANNELS);
    TargetChoice target = TargetChoice.parse("class:" + one.targets().get(0), Labels.none());
    try (Explainer explainer = Explainer.load(one.archive(), one.layerNames())) {
      CamResult found =
          explainer.run(input, target).map("ablationcam", 0, options, Heatmaps.standard());
      FloatMap expected = weighted(one);
      // A weight is a difference of scores near 18: float32 rounds it at 1e-7 relative to 1, and A
      // goes up to hundreds.
      assertThat(Maps.difference(found.raw().get(one.layerNames().get(0)), expected))
          .isLessThanOrEqualTo(1e-5 * Math.max(1, Maps.magnitude(expected)));
    }
  }

  /** {@code sum_k w_k A_k} of the reference's weights over the channels of largest magnitude. */
  private static FloatMap weighted(ReferenceCase one) {
    float[] weights = one.map("weights/AblationCAM", 0).values();
    float[] a = one.layers().get(0).activation().toFloats();
    int positions = a.length / weights.length;
    double[] strength = new double[weights.length];
    for (int i = 0; i < a.length; i++) {
      strength[i / positions] += Math.abs(a[i]);
    }
    List<Integer> strongest =
        IntStream.range(0, weights.length)
            .boxed()
            .sorted(Comparator.comparingDouble(k -> -strength[k]))
            .limit(CHANNELS)
            .toList();
    float[] raw = new float[positions];
    for (int k : strongest) {
      for (int p = 0; p < positions; p++) {
        raw[p] += weights[k] * a[k * positions + p];
      }
    }
    return FloatMap.of(raw, one.map("raw/AblationCAM", 0).shape());
  }
}
