package io.camhook.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SummaryTest {
  @Test
  void summary_should_be_the_moments_of_the_population() {
    // Mean (0 + 2 + 4 + 6) / 4 = 3; variance (9 + 1 + 1 + 9) / 4 = 5; norm √(4 + 16 + 36) = √56.
    Summary summary = Summary.of(new float[] {0, 2, 4, 6});
    assertThat(summary.count()).isEqualTo(4);
    assertThat(summary.mean()).isEqualTo(3);
    assertThat(summary.std()).isEqualTo(Math.sqrt(5));
    assertThat(summary.min()).isZero();
    assertThat(summary.max()).isEqualTo(6);
    assertThat(summary.zeros()).isEqualTo(.25);
    assertThat(summary.norm()).isEqualTo(Math.sqrt(56));
    assertThat(summary.nonFinite()).isZero();
  }

  @Test
  void values_that_are_not_finite_should_be_counted_and_left_out() {
    Summary summary =
        Summary.of(new float[] {1, Float.NaN, 3, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY});
    assertThat(summary.nonFinite()).isEqualTo(3);
    assertThat(summary.mean()).isEqualTo(2);
    assertThat(summary.max()).isEqualTo(3);
    assertThat(summary)
        .hasToString(
            "mean 2.000 std 1.000 min 1.000 max 3.000 zeros 0.0 % norm 3.162 NaN or infinite 3");
  }

  @Test
  void tensor_without_finite_values_should_have_no_moments() {
    assertThat(Summary.of(new float[] {Float.NaN}).mean()).isNaN();
    assertThat(Summary.of(new float[0]).norm()).isNaN();
    assertThat(Summary.of(new float[0]).nonFinite()).isZero();
  }

  @Test
  void small_spread_around_a_large_mean_should_keep_its_digits() {
    // 10000 ± 1: the difference of the sums of squares would be lost in float.
    assertThat(Summary.of(new float[] {9999, 10001}).std()).isEqualTo(1, within(1e-9));
  }
}
