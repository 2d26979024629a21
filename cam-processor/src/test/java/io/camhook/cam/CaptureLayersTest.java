package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.List;
import org.junit.jupiter.api.Test;

class CaptureLayersTest {
  private static final LayerOutput CONV = LayerOutput.of("conv");
  // One sample, two channels of 1 x 2, two targets.
  private static final Capture CAPTURE =
      Capture.builder("net")
          .id("one")
          .targets(List.of(new Target(0, 0, 7, "cat", 3.0), new Target(0, 1, 2, "dog", 1.0)))
          .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[4 * 8 * 3], 4, 8, 3))
          .tensor(
              TensorName.activation(CONV), Tensor.ofFloats(new float[] {1, 2, 3, 4}, 1, 2, 1, 2))
          .tensor(
              TensorName.gradient(0, CONV), Tensor.ofFloats(new float[] {1, 1, 0, 0}, 1, 2, 1, 2))
          .tensor(
              TensorName.gradient(1, CONV), Tensor.ofFloats(new float[] {0, 0, 1, 1}, 1, 2, 1, 2))
          .tensor(TensorName.CLASSIFIER_WEIGHT, Tensor.ofFloats(new float[] {10, 0, 0, 10}, 2, 2))
          .build();

  @Test
  void each_target_should_have_its_own_gradient_and_classifier_row() {
    assertThat(map("gradcam", 0)).containsExactly(1, 2);
    assertThat(map("gradcam", 1)).containsExactly(3, 4);
    assertThat(map("cam", 0)).containsExactly(10, 20);
    assertThat(map("cam", 1)).containsExactly(30, 40);
  }

  @Test
  void heatmap_should_have_the_size_of_the_image() {
    assertThat(CaptureLayers.inputShape(CAPTURE)).containsExactly(1, 3, 4, 8);
    CamResult result =
        Heatmaps.standard()
            .one(
                CamMethods.byId("gradcam"),
                CaptureLayers.of(CAPTURE, List.of(), 0),
                CaptureLayers.inputShape(CAPTURE),
                0);
    assertThat(result.heatmap().shape()).containsExactly(4, 8);
    assertThat(result.heatmap().min()).isZero();
    assertThat(result.heatmap().max()).isBetween(0.999f, 1f);
  }

  @Test
  void missing_layer_should_name_the_nearest() {
    assertThatThrownBy(() -> CaptureLayers.of(CAPTURE, List.of("conv2"), 0))
        .isInstanceOf(CamException.class)
        .hasMessage("capture one holds no activation of layer 'conv2'; did you mean [conv]?");
  }

  private static float[] map(String id, int n) {
    LayerTensors layer = CaptureLayers.of(CAPTURE, List.of("conv"), n).get(0);
    long[] input = CaptureLayers.inputShape(CAPTURE);
    return CamMethods.byId(id).raw(layer.sample(0, input)).values();
  }
}
