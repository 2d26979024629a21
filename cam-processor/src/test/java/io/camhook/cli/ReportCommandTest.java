package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {
  @TempDir Path folder;

  @Test
  void report_should_hold_maps_channels_and_statistics_of_a_recording() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    Path report = folder.resolve("report.html");
    Invocation run = Invocation.of("report", recording, "-o", report);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith(report + ": 2 captures, 8 maps, ");

    JsonNode index = data(report, "index");
    assertThat(index.path("captures")).hasSize(2);
    JsonNode row = index.path("captures").path(0);
    assertThat(row.toString()).startsWith("[\"a\",\"cat\",0.665,[\"cat\",\"dog\"],");
    assertThat(index.path("numbers").toString())
        .isEqualTo("[\"margin\",\"score\",\"hot area\",\"agreement of methods\"]");
    // margin 0.665 - 0.245; one of four cells of relu(-3 -1 1 3) is hotter than half; Pearson of
    // (0 0 1 3), which is Grad-CAM's, and (1 2 3 4), which is CAM's: 5 / sqrt(6 * 5) = 0.912871
    assertThat(row.path(8).toString()).isEqualTo("[0.42,2,0.25,0.912871]");
    // mean of 1 2 3 4 4 3 2 1 is 2.5, population standard deviation sqrt(1.25), norm sqrt(60)
    assertThat(index.path("statistics").path(0).path("total").toString())
        .isEqualTo("[2.5,1.11803,1,4,0,0,7.74597]");
    JsonNode capture = data(report, "c0");
    assertThat(capture.path("maps")).hasSize(4);
    assertThat(capture.path("channels").path(0).path("weights").toString())
        .isEqualTo("[[1,-1],[0,2]]");
    assertThat(files(folder)).containsExactly("rec", "report.html");
  }

  @Test
  void report_should_show_the_steps_that_a_stats_hook_saw_instead_of_the_captures()
      throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Files.writeString(
        recording.resolve("stats.jsonl"), stats(0, 1, 3) + stats(1, 2, 4) + stats(2, 6, 5));
    Path report = folder.resolve("report.html");
    Invocation run = Invocation.of("report", recording, "-o", report);
    assertThat(run.err()).isEmpty();
    JsonNode statistics = data(report, "index").path("statistics");
    assertThat(statistics.path(0).path("layer").asText()).isEqualTo("conv");
    assertThat(statistics.path(0).path("kind").asText()).isEqualTo("activation");
    assertThat(statistics.path(0).path("steps").asInt()).isEqualTo(3);
    assertThat(statistics.path(0).path("series").toString())
        .isEqualTo("[[1,0,1,1,0,0,3],[2,0,2,2,0,0,4],[6,0,6,6,0,0,5]]");
    // means of the means and norms: (1 + 2 + 6) / 3 and (3 + 4 + 5) / 3
    assertThat(statistics.path(0).path("total").toString()).isEqualTo("[3,0,1,6,0,0,4]");
    assertThat(statistics.path(1).path("kind").asText()).isEqualTo("gradient");
    assertThat(statistics.path(1).path("steps").asInt()).as("captures").isEqualTo(1);
  }

  @Test
  void report_should_be_made_of_statistics_alone() throws IOException {
    Path run = Files.createDirectory(folder.resolve("run"));
    Files.writeString(run.resolve("stats.jsonl"), stats(0, 1, 3) + "oops\n" + stats(1, 2, 4));
    Path report = folder.resolve("report.html");
    Invocation invocation = Invocation.of("report", run, "-o", report);
    assertThat(invocation.err())
        .isEqualTo(
            "camhook: %s:2: expected a line of the stats hook, found oops\n"
                .formatted(run.resolve("stats.jsonl")));
    assertThat(data(report, "index").path("statistics").path(0).path("steps").asInt()).isEqualTo(2);
  }

  private static String stats(int step, int value, int norm) {
    return ("{\"model\":\"tiny\",\"step\":%d,\"path\":\"conv\",\"call\":0,\"value\":\"activation\","
            + "\"output\":0,\"shape\":[1],\"count\":1,\"mean\":%d,\"std\":0,\"min\":%d,\"max\":%d,"
            + "\"zeros\":0,\"norm\":%d,\"nonFinite\":0}\n")
        .formatted(step, value, value, value, norm);
  }

  @Test
  void report_should_be_made_of_processed_files_too() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Path maps = folder.resolve("maps");
    Invocation.of("process", recording, "-m", "gradcam", "-o", maps);
    Path report = folder.resolve("report.html");
    assertThat(Invocation.of("report", maps, "-o", report).status()).isZero();
    JsonNode capture = data(report, "c0");
    assertThat(capture.path("targets").path(1).path("label").asText()).isEqualTo("dog");
    JsonNode map = capture.path("maps").path(0);
    assertThat(map.path("l").asText()).isEqualTo("conv");
    assertThat(map.path("min").asDouble()).isEqualTo(-3);
    assertThat(map.path("max").asDouble()).isEqualTo(3);
  }

  @Test
  void report_should_show_given_metrics() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Path metrics = folder.resolve("metrics.json");
    Files.writeString(
        metrics,
        """
        {"title": "t", "metrics": [{"id": "pg", "name": "Pointing", "better": "higher", "unit": "%", "description": ""}],
         "rows": [{"method": "gradcam", "values": {"pg": 0.5}}]}
        """);
    Path report = folder.resolve("report.html");
    assertThat(Invocation.of("report", recording, "--metrics", metrics, "-o", report).status())
        .isZero();
    assertThat(
            data(report, "index")
                .path("metrics")
                .path("rows")
                .path(0)
                .path("values")
                .path("pg")
                .asDouble())
        .isEqualTo(0.5);
  }

  @Test
  void malformed_metrics_should_fail_in_one_line() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Path metrics = Files.writeString(folder.resolve("metrics.json"), "{\n oops");
    Invocation run =
        Invocation.of("report", recording, "--metrics", metrics, "-o", folder.resolve("r.html"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("camhook: " + metrics + ": not a table of metrics: ")
        .hasLineCount(1);
  }

  @Test
  void anything_else_should_be_refused_in_one_line() throws IOException {
    Path text = Files.writeString(folder.resolve("notes.txt"), "hello");
    Invocation run = Invocation.of("report", text, "-o", folder.resolve("r.html"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: %s: expected a recording (a directory with manifest.json) or the output of camhook process (*.safetensors), found a file\n"
                .formatted(text));
  }

  @Test
  void empty_recording_should_give_a_report_that_says_so() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"));
    Path report = folder.resolve("report.html");
    Invocation run = Invocation.of("report", recording, "-o", report);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("holds no capture").hasLineCount(1);
    assertThat(report).exists();
  }

  @Test
  void truncated_shard_should_be_named_and_the_rest_reported() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    ProcessCommandTest.truncate(recording);
    Path report = folder.resolve("report.html");
    Invocation run = Invocation.of("report", recording, "-o", report);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("camhook: " + recording + ": captures-000001.tar")
        .hasLineCount(1);
    assertThat(data(report, "index").path("captures")).hasSize(1);
  }

  @Test
  void captures_of_two_recordings_should_be_paired_by_what_was_fed() throws IOException {
    Path before = TinyRecording.write(folder.resolve("before"), TinyRecording.full("a"));
    Path after = TinyRecording.write(folder.resolve("after"), TinyRecording.full("b"));
    Path report = folder.resolve("report.html");
    Invocation run = Invocation.of("report", before, after, "--compare", "-o", report);
    assertThat(run.err()).isEmpty();
    assertThat(data(report, "index").path("pairs").toString()).isEqualTo("[[0,1]]");
    assertThat(data(report, "index").path("captures").path(1).path(7).asInt()).isEqualTo(1);

    Invocation one = Invocation.of("report", before, "--compare", "-o", report);
    assertThat(one.status()).isEqualTo(2);
    assertThat(one.err()).contains("--compare wants two recordings, found 1");
  }

  @Test
  void provenance_and_damage_should_be_in_the_report() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    ProcessCommandTest.truncate(recording);
    Path report = folder.resolve("report.html");
    Invocation.of("report", recording, "-o", report);
    JsonNode source = data(report, "index").path("sources").path(0);
    assertThat(source.path("path").asText()).isEqualTo(recording.toString());
    assertThat(source.path("damage").path(0).asText()).contains("captures-000001.tar");
    assertThat(source.path("runs").path(0).path("versions").path("java").asText()).isNotEmpty();
    assertThat(source.path("captures").asInt()).isEqualTo(1);
  }

  @Test
  void words_and_boxes_of_the_metadata_should_be_shown() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"),
            TinyRecording.capture("a")
                .extra("tokens", "[\"a\", \"<b>\"]")
                .extra("boxes", "[{\"label\":\"cat\",\"score\":0.5,\"box\":[0,1,2,3]}]")
                .extra("truth", "dog")
                .extra("latency", "12.5")
                .build());
    Path report = folder.resolve("report.html");
    assertThat(Invocation.of("report", recording, "-m", "eigencam", "-o", report).err()).isEmpty();
    JsonNode capture = data(report, "c0");
    assertThat(capture.path("tokens").toString()).isEqualTo("[\"a\",\"<b>\"]");
    assertThat(capture.path("boxes").path(0).path("box").toString()).isEqualTo("[0,1,2,3]");
    JsonNode index = data(report, "index");
    assertThat(index.path("captures").path(0).path(6).toString()).isEqualTo("[\"dog\"]");
    assertThat(index.path("numbers").toString()).contains("\"latency\"");
  }

  @Test
  void static_report_should_be_pictures_and_an_index() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    Path directory = folder.resolve("static");
    Invocation run = Invocation.of("report", recording, "--static", "-o", directory);
    assertThat(run.err()).isEmpty();
    assertThat(files(directory))
        .containsExactly("index.md", "sheet-001-cam.png", "sheet-001-gradcam.png");
    assertThat(Files.readString(directory.resolve("index.md")))
        .contains(
            "2 captures", "| cat | 2 |", "| 2 | b | cat | 66.5 % |", "(sheet-001-gradcam.png)");
    // two tiles of 180 with gaps of 12 around them
    assertThat(
            javax.imageio.ImageIO.read(directory.resolve("sheet-001-cam.png").toFile()).getWidth())
        .isEqualTo(2 * 180 + 3 * 12);
  }

  /** The JSON of a data element of the page. */
  static JsonNode data(Path report, String id) throws IOException {
    String html = Files.readString(report);
    String open = "<script type=\"application/json\" id=\"" + id + "\">";
    int start = html.indexOf(open) + open.length();
    assertThat(start).as("element " + id).isGreaterThan(open.length());
    return new ObjectMapper().readTree(html.substring(start, html.indexOf("</script>", start)));
  }

  private static Stream<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
    }
  }
}
