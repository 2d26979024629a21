package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.report.LayerStatistics.Key;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatsLinesTest {
  @TempDir Path directory;
  private final LayerStatistics statistics = new LayerStatistics();

  @Test
  void calls_outputs_and_models_should_be_told_apart() throws IOException {
    assertThat(read(line("a", "relu", 0, 0), line("a", "relu", 1, 0), line("b", "lstm", 0, 2)))
        .isEmpty();
    assertThat(statistics.series().keySet())
        .containsExactly(
            new Key("a relu", "gradient"),
            new Key("a relu#1", "gradient"),
            new Key("b lstm:2", "gradient"));
  }

  @Test
  void last_line_that_was_cut_off_should_be_left_out() throws IOException {
    String whole = line("a", "relu", 0, 0);
    assertThat(read(whole, whole.substring(0, 40))).isEmpty();
    assertThat(statistics.series().values())
        .singleElement()
        .satisfies(series -> assertThat(series.steps()).hasSize(1));
  }

  @Test
  void line_of_something_else_should_be_named() throws IOException {
    assertThat(read("{\"mean\":\"x\"}", line("a", "relu", 0, 0)))
        .containsExactly(
            directory.resolve("stats.jsonl")
                + ":1: expected a line of the stats hook, found {\"mean\":\"x\"}");
  }

  @Test
  void values_that_no_finite_number_gave_should_be_absent() throws IOException {
    read(line("a", "relu", 0, 0).replaceAll("\":[0-9.]+,\"std", "\":null,\"std"));
    assertThat(statistics.series().values())
        .singleElement()
        .satisfies(series -> assertThat(series.steps().get(0).mean()).isNaN());
  }

  @Test
  void directory_without_the_file_should_have_no_statistics() throws IOException {
    assertThat(StatsLines.read(directory, statistics)).isEmpty();
    assertThat(statistics.isEmpty()).isTrue();
  }

  private List<String> read(String... lines) throws IOException {
    Files.writeString(directory.resolve(StatsLines.NAME), String.join("\n", lines));
    return StatsLines.read(directory, statistics);
  }

  private static String line(String model, String path, int call, int output) {
    return ("{\"model\":\"%s\",\"step\":0,\"path\":\"%s\",\"call\":%d,\"value\":\"gradient\",\"output\":%d,"
            + "\"shape\":[1],\"count\":1,\"mean\":1.5,\"std\":0.0,\"min\":1.0,\"max\":2.0,\"zeros\":0.0,"
            + "\"norm\":1.0,\"nonFinite\":0}")
        .formatted(model, path, call, output);
  }
}
