package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.render.Picture;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class PreprocessingTest {
  @Test
  void shrinking_should_average_with_a_triangle_that_reaches_two_pixels() {
    // Row 0 0 255 255 to two pixels. Centre 1: pixels 0, 1, 2 with weights 1 - |x + 0.5 - 1| / 2 =
    // 3/4 3/4 1/4, sum 7/4, so 255 / 7 = 36.4; by symmetry the other is 255 - 36.4 = 218.6.
    Picture shrunk = PictureResize.resize(grey(4, 1, 0, 0, 255, 255), 1, 2);
    assertThat(shrunk.rgb()).containsExactly(36, 36, 36, 219, 219, 219);
  }

  @Test
  void growing_should_interpolate_between_pixel_centres() {
    // Column 0 100 to four: centres at -0.25 (clamped), 0.25, 0.75, 1.25 in units of source pixels.
    Picture grown = PictureResize.resize(grey(1, 2, 0, 100), 4, 1);
    assertThat(new int[] {grown.rgb()[0], grown.rgb()[3], grown.rgb()[6], grown.rgb()[9]})
        .containsExactly(0, 25, 75, 100);
  }

  @Test
  void tensor_should_be_normalised_channel_by_channel() {
    Picture picture = new Picture(1, 1, new byte[] {(byte) 255, 0, 51});
    float[] values =
        Preprocessing.imageNet()
            .withNormalisation(new float[] {0.5f, 0.5f, 0.2f}, new float[] {0.5f, 0.25f, 2})
            .tensor(picture)
            .toFloats();
    // (1 - 0.5) / 0.5, (0 - 0.5) / 0.25, (0.2 - 0.2) / 2
    assertThat(values).containsExactly(new float[] {1, -2, 0}, Offset.offset(1e-7f));
  }

  @Test
  void one_mean_should_serve_all_channels() {
    Picture picture = new Picture(1, 1, new byte[] {0, 0, 0});
    float[] values =
        Preprocessing.imageNet()
            .withNormalisation(new float[] {0.5f}, new float[] {0.5f})
            .tensor(picture)
            .toFloats();
    assertThat(values).containsExactly(-1, -1, -1);
  }

  @Test
  void two_means_should_be_refused() {
    assertThatThrownBy(
            () ->
                Preprocessing.imageNet()
                    .withNormalisation(new float[] {0, 0}, new float[] {1, 1, 1}))
        .hasMessage("expected 1 or 3 values of mean, found 2");
  }

  private static Picture grey(int width, int height, int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return Picture.of(bytes, width, height, 1);
  }
}
