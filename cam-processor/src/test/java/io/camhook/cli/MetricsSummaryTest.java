package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.metrics.DeletionInsertion;
import io.camhook.explain.Metric;
import io.camhook.report.MetricsTable;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MetricsSummaryTest {
  /**
   * Means 0.5, 0.45 and 0.2 of two inputs each, with deviations 0.1·√2, 0.05·√2 and 0: the standard
   * error of the first two's difference is √(0.02/2 + 0.005/2) = 0.11, of the first and third's
   * √(0.02/2) = 0.1.
   */
  @Test
  void best_and_tied_should_be_told_with_number_and_spread() {
    MetricsSummary summary = new MetricsSummary(EnumSet.of(Metric.INSERTION));
    add(summary, "a", 0.4, 0.6);
    add(summary, "b", 0.4, 0.5);
    add(summary, "c", 0.2, 0.2);
    MetricsTable table = summary.table("", List.of());
    MetricsTable.Spread spread = table.rows().get(0).spreads().get("insertion");
    assertThat(spread.n()).isEqualTo(2);
    assertThat(spread.std()).isCloseTo(0.1 * Math.sqrt(2), within(1e-9));
    assertThat(MetricsSummary.text(table).lines())
        .containsExactly(
            "metric     method       mean   std         n",
            "insertion  a          0.5000 ± 0.1414      2  best",
            "insertion  b          0.4500 ± 0.0707      2  tied",
            "insertion  c          0.2000 ± 0.0000      2");
  }

  @Test
  void one_input_should_rank_nothing() {
    MetricsSummary summary = new MetricsSummary(EnumSet.of(Metric.INSERTION));
    add(summary, "a", 0.4);
    add(summary, "b", 0.5);
    assertThat(MetricsSummary.text(summary.table("", List.of())))
        .contains("0.4000 ± ?")
        .doesNotContain("best");
  }

  @Test
  void courses_should_be_means_at_every_tenth_with_bands() {
    MetricsSummary summary = new MetricsSummary(EnumSet.of(Metric.DELETION));
    // Straight lines from 1 to 0 and from 0.5 to 0: at 50 % 0.5 and 0.25.
    double[] ends = {0, 1};
    summary.add("a", new DeletionInsertion(ends, new double[] {1, 0}, new double[] {0, 1}));
    summary.add("a", new DeletionInsertion(ends, new double[] {0.5, 0}, new double[] {0, 1}));
    List<MetricsTable.Curve> curves = summary.table("", List.of()).curves();
    assertThat(curves).hasSize(1);
    MetricsTable.Point middle = curves.get(0).points().get(5);
    assertThat(middle.at()).isEqualTo("50 %");
    assertThat(middle.value()).isCloseTo(0.375, within(1e-9));
    assertThat(middle.std()).isCloseTo(0.125 * Math.sqrt(2), within(1e-9));
  }

  private static void add(MetricsSummary summary, String method, double... values) {
    for (double value : values) {
      summary.add(method, Map.of("insertion", value));
    }
  }
}
