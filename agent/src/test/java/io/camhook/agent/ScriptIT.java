package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program with a TorchScript model under the agent, in its own process. */
class ScriptIT {
  private static final Path ARCHIVE =
      Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");
  private static final String YAML =
      """
      models:
        - name: net
          layers: [features]
      output: { directory: captures }
      """;

  @TempDir Path directory;
  private String plain = "";

  @BeforeEach
  void runWithoutTheAgent() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), YAML);
    Files.copy(ARCHIVE, directory.resolve("net.pt"));
    plain = new ForkedJvm(directory).run(onClassPath(), "app.PredictScript").out();
    assertThat(plain.lines()).hasSize(9);
  }

  @Test
  void outputs_of_four_threads_should_be_bit_identical_and_every_pass_recorded() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.PredictScript");

    assertThat(result.err()).contains("camhook: 8 of 8 captures written to captures, 0 dropped");
    assertThat(result.out()).isEqualTo(plain);
    assertThat(captures())
        .hasSize(8)
        .allMatch(capture -> capture.tensors().containsKey("activation/features"))
        .allMatch(capture -> capture.tensors().containsKey("gradient/features"));
    assertThat(Files.readString(directory.resolve("captures/manifest.json")))
        .contains("\"features\"", "\"fc\"", "PyTorch 2.7.1", ForkedJvm.sha256(ARCHIVE));
  }

  @Test
  void frozen_archive_should_be_recorded_by_its_operators() throws Exception {
    Path frozen = Path.of("../reference/torchscript/gap_linear.frozen.pt");
    Files.copy(frozen, directory.resolve("net.pt"), StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - name: net
            layers: [auto, relu#1]
        output: { directory: captures }
        """);
    String alone = new ForkedJvm(directory).run(onClassPath(), "app.PredictScript").out();
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.PredictScript");

    assertThat(result.err()).contains("camhook: 8 of 8 captures written to captures, 0 dropped");
    assertThat(result.out()).isEqualTo(alone);
    assertThat(captures())
        .hasSize(8)
        .allSatisfy(
            capture ->
                assertThat(capture.tensors())
                    // the third ReLU goes into the global pooling
                    .containsKeys("activation/relu#2", "gradient/relu#2")
                    .containsKeys("activation/relu#1", "gradient/relu#1"));
  }

  @Test
  void hooks_of_the_yaml_should_see_the_layers_inside() throws Exception {
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - name: net
            hooks:
              - { hook: stats, layers: "*" }
              - { hook: app.LayerShapes, layers: [features, fc] }
        output: { directory: captures }
        """);
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.PredictScript");

    assertThat(result.out()).isEqualTo(plain);
    // 8 pictures; two poolings halve 48 x 40
    assertThat(result.err())
        .contains("{fc (1, 48) -> (1, 8)=8, features (1, 3, 48, 40) -> (1, 48, 12, 10)=8}")
        .doesNotContain("camhook: model", "fail");
    List<String> lines = Files.readAllLines(directory.resolve("captures/stats.jsonl"));
    assertThat(lines).hasSize(8 * 13);
    for (int step = 0; step < 8; step++) {
      String start = "\"step\":" + step + ",\"path\":\"features.0\",\"call\":0,";
      assertThat(lines).filteredOn(line -> line.contains(start)).hasSize(1);
    }
  }

  @Test
  void djl_below_the_system_loader_and_a_stream_should_be_the_same() throws Exception {
    Path launcher = directory.resolve("launcher/app/Launcher.class");
    Files.createDirectories(launcher.getParent());
    Files.copy(Path.of(ForkedJvm.applications(), "app/Launcher.class"), launcher);
    Path classes = Files.createDirectories(directory.resolve("classes/app"));
    try (Stream<Path> files = Files.list(Path.of(ForkedJvm.applications(), "app"))) {
      for (Path file : files.filter(f -> f.toString().contains("PredictScript")).toList()) {
        Files.copy(file, classes.resolve(file.getFileName()));
      }
    }
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .jvm("-Dapp.stream=true")
            .run(
                directory.resolve("launcher").toString(),
                "app.Launcher",
                classes.getParent() + File.pathSeparator + ForkedJvm.engine(),
                "app.PredictScript");

    assertThat(result.err()).contains("camhook: 8 of 8 captures written to captures, 0 dropped");
    assertThat(result.out().lines().skip(1)).isEqualTo(plain.lines().skip(1).toList());
    assertThat(captures()).hasSize(8);
    assertThat(Files.readString(directory.resolve("captures/manifest.json")))
        .as("of a stream no file is known")
        .doesNotContain("sha256");
  }

  @Test
  void dry_run_should_name_the_paths_and_load_the_archive_as_it_is() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("config=camhook.yaml,dryRun=true")
            .run(onClassPath(), "app.PredictScript");

    assertThat(result.out()).isEqualTo(plain);
    assertThat(result.err().lines())
        .contains("camhook: dry run: model net would be hooked at [features]");
    assertThat(directory.resolve("captures")).doesNotExist();
  }

  @Test
  void damaged_archive_should_fail_as_without_the_agent_after_one_line() throws Exception {
    byte[] bytes = Files.readAllBytes(ARCHIVE);
    Files.write(directory.resolve("net.pt"), Arrays.copyOf(bytes, bytes.length / 2));
    ForkedJvm.Result without = new ForkedJvm(directory).run(onClassPath(), "app.PredictScript");
    ForkedJvm.Result with =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.PredictScript");

    assertThat(with.status()).isEqualTo(without.status());
    assertThat(exception(with)).isEqualTo(exception(without));
    assertThat(with.err())
        .containsOnlyOnce("camhook: model is loaded without hooks: net.pt: no end-of-directory");
  }

  private static String exception(ForkedJvm.Result result) {
    return result
        .err()
        .lines()
        .filter(line -> line.startsWith("Exception in thread"))
        .findFirst()
        .orElseThrow();
  }

  private List<Capture> captures() throws IOException {
    List<Capture> captures = new ArrayList<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve("captures"))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        captures.add(capture);
      }
    }
    return captures;
  }

  private static String onClassPath() {
    return ForkedJvm.applications() + File.pathSeparator + ForkedJvm.engine();
  }
}
