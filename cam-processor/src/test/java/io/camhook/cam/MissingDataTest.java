package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The message of a method if the recording lacks what it needs. */
class MissingDataTest {
  private static final long[] INPUT = {1, 3, 8, 8};
  private static final LayerTensors BARE =
      LayerTensors.of("layer4", Tensor.ofFloats(new float[] {1, 2, 3, 4}, 1, 1, 2, 2), null);

  static Stream<String> methods_with_gradients() {
    return CamMethods.ids().stream()
        .filter(id -> CamMethods.byId(id).needs().contains(Requirement.GRADIENT));
  }

  static Stream<String> methods_without() {
    return CamMethods.ids().stream()
        .filter(id -> CamMethods.byId(id).needs().equals(Set.of(Requirement.ACTIVATION)));
  }

  @ParameterizedTest
  @MethodSource("methods_with_gradients")
  void method_with_gradients_should_refuse_a_recording_without(String id) {
    assertThatThrownBy(() -> Heatmaps.standard().one(CamMethods.byId(id), List.of(BARE), INPUT, 0))
        .isInstanceOf(CamException.class)
        .hasMessage(
            id
                + " needs the gradient of the target with respect to the layer, which is missing"
                + " for layer layer4; record it: capture: [gradient] and a target other than none");
  }

  @ParameterizedTest
  @MethodSource("methods_without")
  void method_without_gradients_should_need_none(String id) {
    CamResult result = Heatmaps.standard().one(CamMethods.byId(id), List.of(BARE), INPUT, 0);
    assertThat(result.heatmap().shape()).containsExactly(8, 8);
  }

  @Test
  void cam_should_refuse_a_layer_without_classifier() {
    assertThatThrownBy(
            () -> Heatmaps.standard().one(CamMethods.byId("cam"), List.of(BARE), INPUT, 0))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("the weights of the linear classifier after the layer")
        .hasMessageContaining("use gradcam");
  }

  @Test
  void unknown_method_should_name_the_nearest() {
    assertThatThrownBy(() -> CamMethods.byId("gradcamm"))
        .isInstanceOf(CamException.class)
        .hasMessageStartingWith("no CAM method 'gradcamm'; did you mean [gradcam, ");
  }

  @Test
  void gradient_of_another_shape_should_be_refused() {
    assertThatThrownBy(
            () ->
                LayerTensors.of(
                    "layer4", BARE.activation(), Tensor.ofFloats(new float[2], 1, 1, 1, 2)))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layer layer4: the gradient has shape [1, 1, 1, 2], expected that of the activation,"
                + " [1, 1, 2, 2]");
  }

  @Test
  void kernel_of_too_many_positions_should_be_refused_before_it_fills_the_memory() {
    LayerSample large = LayerSample.of("conv1", new int[] {112, 112}, new float[12544], null);
    assertThatThrownBy(() -> CamMethods.byId("kpcacam").raw(large))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "kpcacam compares every position with every other, at most 4096 of them, and layer"
                + " conv1 has 12544; choose a later layer, or eigencam");
  }

  @Test
  void no_layer_should_be_refused() {
    assertThatThrownBy(
            () -> Heatmaps.standard().one(CamMethods.byId("gradcam"), List.of(), INPUT, 0))
        .isInstanceOf(CamException.class)
        .hasMessage("gradcam was given no layer; name at least one that has a spatial output");
  }

  @Test
  void sample_outside_the_batch_should_be_refused() {
    assertThatThrownBy(() -> BARE.sample(1, INPUT))
        .isInstanceOf(CamException.class)
        .hasMessage("layer layer4 holds 1 samples, found index 1");
  }
}
