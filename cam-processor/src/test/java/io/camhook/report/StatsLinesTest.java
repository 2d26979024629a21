package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.Steps;
import io.camhook.builtin.Watches;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.report.LayerStatistics.Key;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  void lines_of_the_hook_itself_should_be_read() throws IOException {
    try (Watches watches = new Watches(directory, new SilentLog())) {
      LayerWatch stats =
          Objects.requireNonNull(
              watches.of(new CamhookConfig.Hook(List.of("*"), "stats", Map.of())));
      Steps steps = new Steps("net");
      steps.begin();
      stats.forward(steps.forward(stats, "fc", "Linear"), List.of(), List.of(new Values(0, 2)));
      stats.backward(steps.backward(stats, "fc", "Linear"), List.of(), List.of(new Values(3, 4)));
    }
    assertThat(StatsLines.read(directory, statistics)).isEmpty();
    assertThat(statistics.series().get(new Key("fc", "activation")).steps())
        .containsExactly(new LayerStatistics.Step(1, 1, 0, 2, .5, 2, 0));
    assertThat(statistics.series().get(new Key("fc", "gradient")).steps())
        .containsExactly(new LayerStatistics.Step(3.5, .5, 3, 4, 0, 5, 0));
  }

  private record Values(float... values) implements LayerValues {
    @Override
    public long[] shape() {
      return new long[] {values.length};
    }

    @Override
    public float[] toFloats() {
      return values;
    }
  }

  private static final class SilentLog implements EventLog {
    @Override
    public void info(String message) {}

    @Override
    public void warn(String message) {}

    @Override
    public void failure(String message, Throwable cause) {}
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

  /** More of them with {@code -Pfuzz}. */
  @Test
  void damaged_file_should_give_lines_and_messages_and_nothing_else() throws IOException {
    int mutations = Integer.getInteger("camhook.fuzz", 600) / 3;
    String line =
        "{\"model\":\"net\",\"step\":%d,\"path\":\"fc\",\"call\":0,\"value\":\"gradient\",\"output\":0,"
            + "\"shape\":[1],\"count\":1,\"mean\":1,\"std\":0,\"min\":0,\"max\":0,\"zeros\":0,\"norm\":1,\"nonFinite\":0}\n";
    byte[] original =
        (line.formatted(0) + line.formatted(1) + line.formatted(2))
            .getBytes(java.nio.charset.StandardCharsets.UTF_8);
    java.util.Random random = new java.util.Random(46);
    Path file = Files.createDirectories(directory.resolve("fuzz")).resolve("stats.jsonl");
    for (int i = 0; i < mutations; i++) {
      byte[] bytes = original.clone();
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(3)) {
          case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> bytes[at] = (byte) "0-9{}[]\",:\n".charAt(random.nextInt(11));
          default -> bytes = java.util.Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
        }
      }
      Files.write(file, bytes);
      assertThat(StatsLines.read(file.getParent(), new LayerStatistics())).isNotNull();
    }
  }
}
