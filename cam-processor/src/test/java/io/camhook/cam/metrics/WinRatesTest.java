package io.camhook.cam.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WinRatesTest {

  @Test
  void least_drop_should_win_and_draws_be_shared() {
    // Four inputs: a, b, a, and a draw of a and b: (1 + 1 + 1/2) / 4 and (1 + 1/2) / 4.
    Map<String, Double> rates =
        WinRates.of(
            Map.of(
                "a", List.of(0.1, 0.5, 0.0, 0.2),
                "b", List.of(0.2, 0.4, 0.1, 0.2),
                "c", List.of(0.9, 0.9, 0.9, 0.9)));
    assertThat(rates.get("a")).isCloseTo(0.625, within(1e-12));
    assertThat(rates.get("b")).isCloseTo(0.375, within(1e-12));
    assertThat(rates.get("c")).isZero();
  }

  @Test
  void methods_measured_on_other_inputs_should_be_refused() {
    assertThatThrownBy(() -> WinRates.of(Map.of("a", List.of(0.1, 0.2), "b", List.of(0.1))))
        .isInstanceOf(CamException.class)
        .hasMessage("the win rate compares methods on the same inputs: b was measured on 1 of 2");
  }

  @Test
  void nothing_measured_should_be_nothing() {
    assertThat(WinRates.of(Map.of())).isEmpty();
  }
}
