package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradCamTest {
  // Two channels of 2 x 2. Means of g: channel 0 (1 + 3 + 0 + 0) / 4 = 1, channel 1 (-2) / 4 =
  // -0.5.
  private static final float[] A = {1, 2, 3, 4, 10, 20, 30, 40};
  private static final float[] G = {1, 3, 0, 0, -2, 0, 0, 0};

  @Test
  void gradcam_should_weigh_channels_by_the_mean_gradient() {
    LayerSample sample = LayerSample.of("conv", new int[] {2, 2}, A, G);
    // 1 * (1, 2, 3, 4) - 0.5 * (10, 20, 30, 40)
    assertThat(new GradCam().raw(sample).values()).containsExactly(-4, -8, -12, -16);
  }

  @Test
  void gradcam_should_refuse_a_recording_without_gradients() {
    LayerTensors layer = LayerTensors.of("layer4", Tensor.ofFloats(A, 1, 2, 2, 2), null);
    assertThatThrownBy(
            () ->
                Heatmaps.standard()
                    .all(CamMethods.byId("gradcam"), List.of(layer), new long[] {1, 3, 4, 4}))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "gradcam needs the gradient of the target with respect to the layer, which is missing"
                + " for layer layer4; record it: capture: [gradient] and a target other than none");
  }

  @Test
  void cam_should_weigh_channels_by_the_classifier_row() {
    LayerTensors layer =
        LayerTensors.of("features", Tensor.ofFloats(A, 1, 2, 2, 2), null)
            .withClassifierRows(Tensor.ofFloats(new float[] {2, 0.5f}, 1, 2));
    // 2 * (1, 2, 3, 4) + 0.5 * (10, 20, 30, 40) = (7, 14, 21, 28), scaled (0, 1/3, 2/3, 1)
    CamResult result =
        Heatmaps.standard().one(CamMethods.byId("cam"), List.of(layer), new long[] {1, 3, 2, 2}, 0);
    assertThat(result.raw().get("features").values()).containsExactly(7, 14, 21, 28);
    assertThat(result.heatmap().values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0, 1 / 3f, 2 / 3f, 1);
  }
}
