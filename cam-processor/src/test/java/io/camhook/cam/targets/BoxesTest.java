package io.camhook.cam.targets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import java.util.List;
import org.junit.jupiter.api.Test;

class BoxesTest {
  /** Rows x, y, width, height, objectness, two classes; the first two are one object. */
  private static final float[] ROWS = {
    10, 10, 4, 4, 0.9f, 0.2f, 0.8f, //
    10, 11, 4, 4, 0.5f, 0.1f, 0.6f, //
    30, 30, 8, 4, 0.8f, 0.5f, 0.1f,
    0, 0, 2, 2, 0.1f, 0.3f, 0.3f,
    40, 0, 2, 2, 0.1f, 0.3f, 0.2f,
    50, 0, 2, 2, 0.1f, 0.3f, 0.2f,
    60, 0, 2, 2, 0.1f, 0.3f, 0.2f,
    70, 0, 2, 2, 0.1f, 0.3f, 0.2f,
  };

  @Test
  void box_should_be_objectness_times_its_best_class() {
    Boxes boxes = Boxes.of(Boxes.Format.V5, new long[] {1, 8, 7});
    ScoreTarget box = boxes.box(ROWS, 0);
    assertThat(box.score(ROWS)).isCloseTo(0.9 * 0.8, within(1e-6));
    float[] gradient = box.gradientAtLogits(ROWS);
    assertThat(gradient[4]).isEqualTo(0.8f); // by objectness: the class
    assertThat(gradient[6]).isEqualTo(0.9f); // by the class: objectness
    assertThat(gradient[5]).isZero();
    assertThat(box.name()).isEqualTo("box 0 as class 1");
    assertThatThrownBy(() -> boxes.box(ROWS, 8))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("boxes 0 to 7")
        .hasMessageContaining("box:0, box:2");
  }

  @Test
  void class_should_be_summed_over_the_boxes() {
    Boxes boxes = Boxes.of(Boxes.Format.V5, new long[] {1, 8, 7});
    ScoreTarget target = boxes.ofClass(0);
    // 0.9·0.2 + 0.5·0.1 + 0.8·0.5 + five times 0.1·0.3
    assertThat(target.score(ROWS)).isCloseTo(0.18 + 0.05 + 0.4 + 5 * 0.03, within(1e-6));
    assertThat(target.gradientAtLogits(ROWS)[2 * 7 + 4]).isEqualTo(0.5f);
    assertThatThrownBy(() -> boxes.ofClass(2)).hasMessageContaining("classes 0 to 1");
  }

  @Test
  void surest_boxes_should_be_of_different_objects() {
    Boxes boxes = Boxes.of(Boxes.Format.V5, new long[] {1, 8, 7});
    List<Detection> best = Boxes.best(boxes.all(ROWS), 2);
    // 0.72; the second row shares 12 of 20 units with it; then 0.4
    assertThat(best.get(0).overlap(boxes.detection(ROWS, 1))).isCloseTo(12 / 20.0, within(1e-6));
    assertThat(best).extracting(Detection::box).containsExactly(0, 2);
    assertThat(best.get(1).corners()).containsExactly(26, 28, 34, 32);
  }

  @Test
  void columns_may_come_first_and_have_no_objectness() {
    // [1, 5, 6]: x, y, w, h and one class of six boxes
    float[] columns = new float[30];
    columns[4 * 6 + 3] = 0.7f;
    Boxes boxes = Boxes.of(Boxes.Format.V8, new long[] {1, 5, 6});
    assertThat(boxes.classes()).isOne();
    assertThat(boxes.box(columns, 3).score(columns)).isCloseTo(0.7, within(1e-6));
    assertThat(boxes.detection(columns, 3).score()).isCloseTo(0.7, within(1e-6));
    assertThatThrownBy(() -> Boxes.of(Boxes.Format.V5, new long[] {1, 5, 6}))
        .hasMessageContaining("wants 5 columns and one for each class, found 5");
    assertThatThrownBy(() -> Boxes.of(Boxes.Format.V8, new long[] {1, 10}))
        .hasMessageContaining("--output");
  }
}
