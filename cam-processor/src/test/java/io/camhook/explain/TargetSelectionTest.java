package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import org.junit.jupiter.api.Test;

class TargetSelectionTest {
  /** Two classes at 1 x 3 positions: class 0 scores 1 5 2, class 1 scores 4 0 3. */
  private static final Tensor OUTPUT = Tensor.ofFloats(new float[] {1, 5, 2, 4, 0, 3}, 1, 2, 1, 3);

  private static final float[] ROW = OUTPUT.toFloats();

  @Test
  void class_should_be_summed_over_all_positions() {
    ScoreTarget target = TargetSelection.of(choice("class:0")).of(OUTPUT).get(0);
    assertThat(target.score(ROW)).isEqualTo(1 + 5 + 2);
    assertThat(target.gradientAtLogits(ROW)).containsExactly(1, 1, 1, 0, 0, 0);
  }

  @Test
  void mask_should_leave_the_other_positions_out() {
    boolean[] inside = {true, false, true};
    ScoreTarget target = TargetSelection.within(choice("class:1"), inside).of(OUTPUT).get(0);
    assertThat(target.score(ROW)).isEqualTo(4 + 3);
    assertThat(target.gradientAtLogits(ROW)).containsExactly(0, 0, 0, 1, 0, 1);
    // sums inside the mask are 3 and 7, everywhere 8 and 7
    assertThat(TargetSelection.within(choice("top1"), inside).of(OUTPUT).get(0).name())
        .isEqualTo("class 1");
    assertThat(TargetSelection.of(choice("top1")).of(OUTPUT).get(0).name()).isEqualTo("class 0");
  }

  @Test
  void prediction_should_mask_where_the_class_is_the_highest() {
    ScoreTarget target = TargetSelection.withinPrediction(choice("class:1")).of(OUTPUT).get(0);
    // class 1 wins at the first (4 > 1) and the last position (3 > 2)
    assertThat(target.score(ROW)).isEqualTo(4 + 3);
    assertThat(target.gradientAtLogits(ROW)).containsExactly(0, 0, 0, 1, 0, 1);
  }

  @Test
  void softmax_should_be_that_of_the_sums() {
    ScoreTarget target = TargetSelection.of(choice("softmax:0")).of(OUTPUT).get(0);
    // sums 8 and 7
    assertThat(target.score(ROW)).isEqualTo(1 / (1 + Math.exp(-1)));
  }

  @Test
  void target_of_ones_own_should_see_the_whole_output() {
    ScoreTarget target =
        TargetSelection.of(Targets.custom("first", row -> row[0] * row[0])).of(OUTPUT).get(0);
    assertThat(target.score(ROW)).isEqualTo(1);
  }

  @Test
  void mask_of_another_size_should_be_refused() {
    assertThatThrownBy(() -> TargetSelection.within(choice("class:0"), new boolean[4]).of(OUTPUT))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "a target mask of 4 positions does not fit the model's output of shape [1, 2, 1, 3];"
                + " give one of [1, 3]");
  }

  @Test
  void mask_for_an_output_without_positions_should_be_refused() {
    Tensor logits = Tensor.ofFloats(new float[] {1, 2}, 1, 2);
    assertThatThrownBy(() -> TargetSelection.withinPrediction(choice("class:0")).of(logits))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("found [1, 2]; leave the mask away");
  }

  @Test
  void prediction_of_a_class_found_nowhere_should_be_refused() {
    Tensor output = Tensor.ofFloats(new float[] {1, 1, 0, 0}, 1, 2, 1, 2);
    assertThatThrownBy(() -> TargetSelection.withinPrediction(choice("class:1")).of(output))
        .isInstanceOf(CamException.class)
        .hasMessageStartingWith("class 1: the model predicts it nowhere in this input");
  }

  private static TargetChoice choice(String text) {
    return TargetChoice.parse(text, Labels.none());
  }
}
