package io.camhook.render;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResizeTest {
  @Test
  void bilinear_should_have_half_pixel_centres() {
    // 2 → 4: positions -0.25, 0.25, 0.75, 1.25, the outer two clamped.
    assertThat(Bilinear.resize(new float[] {0, 1}, new int[] {2}, new int[] {4}))
        .containsExactly(0, 0.25f, 0.75f, 1);
  }

  @Test
  void bilinear_should_align_corners_when_asked() {
    // 2 → 3: positions 0, 0.5, 1.
    assertThat(Bilinear.resizeAligned(new float[] {2, 4}, new int[] {2}, new int[] {3}))
        .containsExactly(2, 3, 4);
  }

  @Test
  void bilinear_should_resize_each_axis_on_its_own() {
    // Rows (0, 2), (4, 6) to 1 x 4: the middle row (2, 4), then 2, 2.5, 3.5, 4.
    assertThat(Bilinear.resize(new float[] {0, 2, 4, 6}, new int[] {2, 2}, new int[] {1, 4}))
        .containsExactly(2, 2.5f, 3.5f, 4);
  }

  @Test
  void cubic_zoom_should_keep_the_corners_and_a_straight_middle() {
    // A spline goes through its samples; by symmetry the middle of (0, 1) mirrored at both ends is
    // 1/2.
    assertThat(CubicZoom.resize(new float[] {0, 1}, new int[] {2}, new int[] {3}))
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0, 0.5f, 1);
  }

  @Test
  void slice_sheet_should_lay_slices_row_by_row() {
    // Four slices of 1 x 1 on a 2 x 2 sheet with gaps of 2: 4 x 4 pixels, the slices in its
    // corners.
    Picture sheet = SliceSheet.of(new float[] {0, 1, 0, 1}, 4, 1, 1, ColourTable.HOT);
    assertThat(sheet.width()).isEqualTo(4);
    assertThat(sheet.height()).isEqualTo(4);
    byte[] hot = ColourTable.HOT.triplets();
    assertThat(sheet.rgb()[0]).isEqualTo(hot[0]);
    assertThat(sheet.rgb()[3 * 3]).isEqualTo(hot[255 * 3]);
    assertThat(sheet.rgb()[(3 * 4 + 3) * 3]).isEqualTo(hot[255 * 3]);
  }

  @Test
  void signal_chart_should_colour_the_background_by_the_heat() {
    float[] flat = new float[512];
    float[] heat = new float[512];
    heat[511] = 1;
    Picture chart = SignalChart.of(flat, 1, heat, ColourTable.HOT);
    assertThat(chart.width()).isEqualTo(512);
    // HOT(0) is black, halfway to white 127; HOT(1) is white.
    assertThat(chart.rgb()[0] & 0xff).isEqualTo(127);
    assertThat(chart.rgb()[511 * 3] & 0xff).isEqualTo(255);
  }

  /** Larger, smaller, equal; also one dimension and three rows that fall and rise. */
  @ParameterizedTest
  @CsvSource({"7, 224", "7, 8", "224, 7", "13, 13", "1, 5", "2, 3"})
  void range_of_a_resized_map_should_be_that_of_all_its_values(int from, int to) {
    Random random = new Random(from * 1000L + to);
    for (int round = 0; round < 50; round++) {
      float[] values = new float[from * 5];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat();
      }
      int[] source = {from, 5};
      int[] target = {to, 17};
      float[] resized = Bilinear.resize(values, source, target);
      float low = Float.POSITIVE_INFINITY;
      float high = Float.NEGATIVE_INFINITY;
      for (float value : resized) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      assertThat(Bilinear.range(resized, source, target)).containsExactly(low, high);
    }
  }
}
