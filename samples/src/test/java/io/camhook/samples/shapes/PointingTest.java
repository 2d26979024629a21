package io.camhook.samples.shapes;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.samples.pictures.Mask;
import org.junit.jupiter.api.Test;

class PointingTest {
  /** Resized from 2×2 to 4×4 with half-pixel centres, a corner keeps its value: 4 in the corner. */
  @Test
  void maximum_should_be_looked_up_after_resizing() {
    assertThat(Pointing.atMaximum(map(1, 2, 3, 4), 2, 2, maskOf(3, 3))).isTrue();
    assertThat(Pointing.atMaximum(map(1, 2, 3, 4), 2, 2, maskOf(2, 2))).isFalse();
    assertThat(Pointing.atMaximum(map(5, 2, 3, 4), 2, 2, maskOf(0, 0))).isTrue();
  }

  private static float[] map(float... values) {
    return values;
  }

  private static Mask maskOf(int x, int y) {
    boolean[] inside = new boolean[16];
    inside[y * 4 + x] = true;
    return new Mask(4, 4, inside);
  }
}
