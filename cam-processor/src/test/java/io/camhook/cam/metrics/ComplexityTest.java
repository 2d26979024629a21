package io.camhook.cam.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.FloatMap;
import org.junit.jupiter.api.Test;

class ComplexityTest {
  @Test
  void one_place_should_be_as_simple_as_can_be() {
    // Sorted upwards 0, 0, 0, 1: (2·4 - 4 - 1)·1 / (4·1) = 3/4.
    Complexity one = Complexity.of(FloatMap.of(new float[] {0, 1, 0, 0}, 2, 2));
    assertThat(one.sparseness()).isCloseTo(0.75, within(1e-9));
    assertThat(one.entropy()).isCloseTo(0, within(1e-9));
  }

  @Test
  void equal_places_should_be_as_complex_as_can_be() {
    for (float value : new float[] {0, 2}) {
      float[] values = {value, value, value, value};
      Complexity all = Complexity.of(FloatMap.of(values, 4));
      assertThat(all.sparseness()).isCloseTo(0, within(1e-9));
      assertThat(all.entropy()).isCloseTo(Math.log(4), within(1e-9));
    }
  }

  @Test
  void sizes_should_count_whatever_their_sign() {
    // 1, 3 sorted upwards: (2 - 3)·1 + (4 - 3)·3 = 2, of 2·4; shares 1/4 and 3/4.
    Complexity two = Complexity.of(FloatMap.of(new float[] {-3, 1}, 2));
    assertThat(two.sparseness()).isCloseTo(0.25, within(1e-9));
    assertThat(two.entropy())
        .isCloseTo(-0.25 * Math.log(0.25) - 0.75 * Math.log(0.75), within(1e-9));
  }

  @Test
  void attributions_should_add_up_to_the_difference_of_the_scores() {
    FloatMap raw = FloatMap.of(new float[] {1, 2, -0.5f}, 3);
    assertThat(Completeness.of(raw, 3, 0.5)).isCloseTo(0, within(1e-9));
    assertThat(Completeness.of(raw, 5, 0)).isCloseTo(0.5, within(1e-9));
    assertThat(Completeness.of(FloatMap.of(new float[3], 3), 5, 0)).isCloseTo(1, within(1e-9));
  }
}
