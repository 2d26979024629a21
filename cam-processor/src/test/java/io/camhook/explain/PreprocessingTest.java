package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class PreprocessingTest {
  @Test
  void shrinking_should_average_with_a_triangle_that_reaches_two_pixels() {
    // Row 0 0 255 255 to two pixels. Centre 1: pixels 0, 1, 2 with weights 1 - |x + 0.5 - 1| / 2 =
    // 3/4 3/4 1/4, sum 7/4, so 255 / 7 = 36.4; by symmetry the other is 255 - 36.4 = 218.6.
    Pixels shrunk = rgb(4, 1, 0, 0, 255, 255).resized(1, 2);
    assertThat(shrunk.values()).containsExactly(36, 36, 36, 219, 219, 219);
  }

  @Test
  void growing_should_interpolate_between_pixel_centres() {
    // Column 0 100 to four: centres at -0.25 (clamped), 0.25, 0.75, 1.25 in units of source pixels.
    Pixels grown = rgb(1, 2, 0, 100).resized(4, 1);
    assertThat(
            new int[] {grown.values()[0], grown.values()[3], grown.values()[6], grown.values()[9]})
        .containsExactly(0, 25, 75, 100);
  }

  @Test
  void tensor_should_be_normalised_channel_by_channel() {
    Pixels picture = new Pixels(1, 1, 3, new byte[] {(byte) 255, 0, 51});
    float[] values =
        Preprocessing.imageNet()
            .withSize(1, 1)
            .withNormalisation(new float[] {0.5f, 0.5f, 0.2f}, new float[] {0.5f, 0.25f, 2})
            .feed(picture)
            .tensor()
            .toFloats();
    // (1 - 0.5) / 0.5, (0 - 0.5) / 0.25, (0.2 - 0.2) / 2
    assertThat(values).containsExactly(new float[] {1, -2, 0}, Offset.offset(1e-7f));
  }

  @Test
  void one_mean_should_serve_all_channels() {
    Pixels picture = new Pixels(1, 1, 3, new byte[] {0, 0, 0});
    float[] values =
        Preprocessing.imageNet()
            .withSize(1, 1)
            .withNormalisation(new float[] {0.5f}, new float[] {0.5f})
            .feed(picture)
            .tensor()
            .toFloats();
    assertThat(values).containsExactly(-1, -1, -1);
  }

  @Test
  void two_means_should_be_refused() {
    assertThatThrownBy(
            () ->
                Preprocessing.imageNet()
                    .withNormalisation(new float[] {0, 0}, new float[] {1, 1, 1}))
        .hasMessage("expected 1, 3 or 4 values of mean, found 2");
  }

  private static Pixels rgb(int width, int height, int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return new Pixels(width, height, 1, bytes).as(3);
  }
}
