package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the operator of an application sees of its layers, with the packaged agent. */
class MonitoringIT {
  @TempDir Path directory;

  /**
   * The layer's output is (2 · (1 + i), 0), its mean 1 + i, its norm 2 · (1 + i), for i from 0 to
   * 9. The baseline has mean 1 ± 1 and norm 2 ± 2, so both are i deviations away: two steps up to
   * 1, one up to 2, two up to 4, four up to 8, one above. The average of the first five is 2, of
   * the first seven 3; it passes 4 with the tenth: 45 ÷ 10 = 4.5.
   */
  @Test
  void layers_that_stats_hooks_see_should_be_in_jmx_and_jfr() throws Exception {
    Files.writeString(
        directory.resolve("base.json"),
        """
        {"version":1,"layers":[{"model":"net","layer":"layers.0","value":"activation","steps":9,
          "mean":1,"meanStd":1,"norm":2,"normStd":2,"zeros":0,"zerosStd":0}]}
        """);
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - name: net
            class: app.nn.Scale
            root: app.nn.Stack
            hooks: [{ hook: stats, layers: layers.0, baseline: base.json, warn: 4 }]
        """);
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .run(ForkedJvm.applications(), "app.Monitored");

    assertThat(result.status()).as(result.err()).isZero();
    assertThat(result.out().lines())
        .contains(
            "io.camhook:layer=\"layers.0\",model=\"net\",type=Layer,value=\"activation\"",
            "Steps = 10",
            "Mean = 10.0",
            "Norm = 20.0",
            "NonFinite = 0",
            "Drift = 4.5",
            "Drifting = true",
            "MeanDrifts = {<= 1=2, <= 2=1, <= 4=2, <= 8=4, > 8=1}",
            "NormDrifts = {<= 1=2, <= 2=1, <= 4=2, <= 8=4, > 8=1}");
    assertThat(result.out())
        .contains("io.camhook.LayerDrift {", "io.camhook.LayerStatistics {")
        .contains("meanDrifts = \"{<= 1=2, <= 2=1, <= 4=2, <= 8=4, > 8=1}\"");
    assertThat(result.err())
        .contains("model net, layer layers.0, activation: drifts from its baseline: 4.5 standard")
        .doesNotContain("captures written");
    System.out.println(result.out());
  }
}
