package io.camhook.samples.pictures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ShapeClassTest {

  @ParameterizedTest
  @EnumSource
  void shape_should_contain_its_centre_and_lie_in_the_unit_circle(ShapeClass shape) {
    assertThat(shape.contains(0, 0)).isTrue();
    for (int i = 0; i < 720; i++) {
      double angle = Math.toRadians(i / 2.0);
      assertThat(shape.contains(1.001 * Math.cos(angle), 1.001 * Math.sin(angle))).isFalse();
    }
  }

  /**
   * Areas by hand: disc 0.9² π; square 1.4²; triangle 3√3/4; star 5 · 0.42 · sin 36° (ten triangles
   * with sides 1 and 0.42); cross 4 · 0.93 · 0.58 − 0.58²; arrow 0.72 · 0.98 + 0.52 · 0.94.
   */
  @ParameterizedTest
  @CsvSource({
    "DISC, 2.54469",
    "SQUARE, 1.96",
    "TRIANGLE, 1.29904",
    "STAR, 1.23435",
    "CROSS, 1.8212",
    "ARROW, 1.1944"
  })
  void shape_should_have_its_area(ShapeClass shape, double area) {
    int side = 1000;
    int inside = 0;
    for (int i = 0; i < side * side; i++) {
      double x = (i % side + 0.5) / side * 2 - 1;
      double y = (i / side + 0.5) / side * 2 - 1;
      inside += shape.contains(x, y) ? 1 : 0;
    }
    // an outline of length below 12 crosses fewer than 12 · 1000 cells of 4e-6, half of each unsure
    assertThat(4.0 * inside / (side * side)).isCloseTo(area, within(0.024));
  }
}
