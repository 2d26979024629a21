package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Detection;
import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class DetectorOutputsTest {
  private static final Tensor CORNERS =
      Tensor.ofFloats(new float[] {0, 0, 4, 4, 2, 2, 8, 10}, 2, 4);

  @Test
  void boxes_scores_and_labels_should_be_joined() {
    List<Detection> found =
        DetectorOutputs.read(
            List.of(
                CORNERS,
                Tensor.ofLongs(new long[] {2, 0}, 2),
                Tensor.ofFloats(new float[] {0.9f, 0.4f}, 2)),
            null);
    assertThat(found).hasSize(2);
    assertThat(found.get(0).best()).isEqualTo(2);
    assertThat(found.get(0).score()).isCloseTo(0.9, within(1e-6));
    assertThat(found.get(1).corners()).containsExactly(2, 2, 8, 10);
  }

  /** DETR: softmax of (ln 3, 0, 0) is 3/5, 1/5, 1/5; the last is no class. */
  @Test
  void logits_should_become_probabilities_without_the_last() {
    float[] logits = {(float) Math.log(3), 0, 0};
    List<Detection> found =
        DetectorOutputs.read(
            List.of(
                Tensor.ofFloats(logits, 1, 1, 3),
                Tensor.ofFloats(new float[] {0.5f, 0.5f, 0.2f, 0.4f}, 1, 1, 4)),
            null);
    assertThat(found.get(0).classes()).hasSize(2);
    assertThat(found.get(0).score()).isCloseTo(0.6, within(1e-6));
    assertThat(found.get(0).corners())
        .containsExactly(new float[] {0.4f, 0.3f, 0.6f, 0.7f}, within(1e-6f));
  }

  @Test
  void one_output_should_need_a_word() {
    assertThatThrownBy(
            () -> DetectorOutputs.read(List.of(Tensor.ofFloats(new float[60], 1, 10, 6)), null))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("[1, 10, 6]")
        .hasMessageContaining("--boxes v5");
  }
}
