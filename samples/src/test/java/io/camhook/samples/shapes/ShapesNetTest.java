package io.camhook.samples.shapes;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import io.camhook.samples.pictures.ShapeClass;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ShapesNetTest {
  /**
   * Neither the seeds of the training (it uses 20, 68 and 116), nor of its report, nor of the demo.
   */
  private static final long UNSEEN = 4711;

  @Test
  void committed_weights_should_name_and_locate_the_objects_of_unseen_pictures() throws Exception {
    try (Model model = ShapesNet.load()) {
      ShapesEvaluation evaluation = ShapesEvaluation.of(model, UNSEEN, 500);

      assertThat(evaluation.accuracy()).isGreaterThanOrEqualTo(0.97);
      assertThat(evaluation.pointingGame()).isGreaterThanOrEqualTo(0.95);
    }
  }

  @Test
  void class_names_should_be_those_of_the_generator() {
    assertThat(ShapesNet.classNames())
        .isEqualTo(Arrays.stream(ShapeClass.values()).map(ShapeClass::label).toList());
  }
}
