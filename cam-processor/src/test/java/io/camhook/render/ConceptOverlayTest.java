package io.camhook.render;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ConceptOverlayTest {

  @Test
  void pixel_should_have_the_colour_of_its_largest_heatmap() {
    Picture grey = Picture.of(new byte[] {100, 100}, 2, 1, 1);
    Picture overlay =
        ConceptOverlay.of(grey, List.of(new float[] {1, 0.2f}, new float[] {0.5f, 0.4f}));
    // Two hues are red and cyan: (255 + 100) / 2 = 177.5, 100 / 2; 0.4 * 255 = 102, (102 + 100) /
    // 2.
    assertThat(overlay.rgb())
        .containsExactly((byte) 178, (byte) 50, (byte) 50, (byte) 50, (byte) 101, (byte) 101);
    assertThat(ConceptOverlay.colour(1, 2)).isEqualTo(0x00ffff);
  }

  @Test
  void heatmap_of_another_size_should_be_refused() {
    assertThatThrownBy(
            () -> ConceptOverlay.of(new Picture(2, 1, new byte[6]), List.of(new float[3])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2x1");
  }
}
