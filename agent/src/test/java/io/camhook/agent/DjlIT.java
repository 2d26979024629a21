package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A DJL program under the agent, in its own process: same outputs, and a recording. */
class DjlIT {
  private static final String YAML =
      """
      models:
        - name: tiny
          layers: [03Conv2d]
      output: { directory: captures }
      """;

  @TempDir Path directory;
  private String plain = "";

  @BeforeEach
  void writeConfigurationAndRunWithoutTheAgent() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), YAML);
    plain = new ForkedJvm(directory).run(onClassPath(), "app.Predict").out();
    assertThat(plain.lines()).hasSize(9);
  }

  @Test
  void outputs_of_four_threads_should_be_bit_identical_and_every_pass_recorded() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.Predict");

    assertThat(result.err()).contains("camhook: 8 of 8 captures written to captures, 0 dropped");
    assertThat(result.out()).isEqualTo(plain);
    assertThat(result.status()).isZero();
    assertThat(captures())
        .hasSize(8)
        .allSatisfy(
            capture -> {
              assertThat(capture.tensors())
                  .containsKeys("activation/03Conv2d", "gradient/03Conv2d");
              assertThat(capture.tensors().get("activation/03Conv2d"))
                  .hasToString("F32[1, 16, 16, 16]");
            });
  }

  @Test
  void hash_of_the_parameters_should_be_the_same_in_every_run_until_one_changes() throws Exception {
    assertThat(parametersHash("0.3")).matches("[0-9a-f]{64}").isEqualTo(parametersHash("0.3"));
    assertThat(parametersHash("0.3000001")).isNotEqualTo(parametersHash("0.3"));
  }

  private String parametersHash(String scale) throws Exception {
    new ForkedJvm(directory)
        .agent("camhook.yaml")
        .jvm("-Dapp.scale=" + scale)
        .run(onClassPath(), "app.Predict");
    Path captures = directory.resolve("captures");
    try (RecordingReader reader = RecordingReader.open(captures)) {
      return reader.manifest().model("tiny").orElseThrow().parametersSha256();
    } finally {
      Files.move(captures, directory.resolve("captures-" + System.nanoTime()));
    }
  }

  @Test
  void djl_below_the_system_loader_should_be_instrumented_the_same() throws Exception {
    inChildLoader(ForkedJvm.engine());
  }

  @Test
  void application_that_carries_the_runtime_itself_should_be_instrumented_the_same()
      throws Exception {
    inChildLoader(ForkedJvm.engine() + File.pathSeparator + ForkedJvm.runtime());
  }

  private void inChildLoader(String urls) throws Exception {
    Path launcher = directory.resolve("launcher/app/Launcher.class");
    Files.createDirectories(launcher.getParent());
    Files.copy(Path.of(ForkedJvm.applications(), "app/Launcher.class"), launcher);
    Path classes = directory.resolve("classes/app");
    Files.createDirectories(classes);
    try (var files = Files.list(Path.of(ForkedJvm.applications(), "app"))) {
      for (Path file : files.filter(f -> f.toString().contains("Predict")).toList()) {
        Files.copy(file, classes.resolve(file.getFileName()));
      }
    }
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .run(
                directory.resolve("launcher").toString(),
                "app.Launcher",
                directory.resolve("classes") + File.pathSeparator + urls,
                "app.Predict");

    assertThat(result.err()).contains("camhook: 8 of 8 captures written to captures, 0 dropped");
    assertThat(result.out().lines().findFirst()).hasValue("loader URLClassLoader");
    assertThat(result.out().lines().skip(1)).isEqualTo(plain.lines().skip(1).toList());
    assertThat(captures()).hasSize(8);
  }

  @Test
  void dry_run_should_say_what_would_be_woven_and_hooked_and_record_nothing() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("config=camhook.yaml,dryRun=true")
            .run(onClassPath(), "app.Predict");

    assertThat(result.out()).isEqualTo(plain);
    assertThat(result.err().lines())
        .contains(
            "camhook: dry run: would weave ai.djl.nn.AbstractBaseBlock",
            "camhook: dry run: model tiny would be hooked at [03Conv2d]");
    assertThat(directory.resolve("captures")).doesNotExist();
  }

  @Test
  void layer_that_matches_nothing_should_be_a_warning_with_the_closest_paths() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), YAML.replace("03Conv2d", "03Conv3d"));
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.Predict");

    assertThat(result.out()).isEqualTo(plain);
    assertThat(result.err())
        .containsOnlyOnce(
            "camhook: model tiny: layer '03Conv3d' matches none of its 8 modules; closest:"
                + " [03Conv2d, 01Conv2d");
  }

  @Test
  void built_in_hooks_should_write_stats_and_name_the_layer_that_made_nan() throws Exception {
    hooks("{ hook: stats, layers: [03Conv2d, \".\"] }", "{ hook: nan-guard }");
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .jvm("-Dapp.broken=true")
            .run(onClassPath(), "app.Predict");

    assertThat(result.status()).isZero();
    assertThat(result.err())
        .containsOnlyOnce("nan-guard: ")
        .containsPattern(
            "model tiny, step \\d, layer 04LambdaBlock \\(LambdaBlock\\) produced NaN in forward");
    assertThat(Files.readAllLines(directory.resolve("captures/stats.jsonl")))
        .hasSize(2 * 8)
        .filteredOn(line -> line.contains("\"path\":\"03Conv2d\""))
        .hasSize(8)
        .allMatch(line -> line.contains("\"shape\":[1,16,16,16],\"count\":4096,"));
  }

  @Test
  void own_hook_should_be_loaded_by_name_and_missing_and_unfit_ones_be_reported() throws Exception {
    hooks(
        "{ hook: app.NegateHook, layers: \".\" }",
        "{ hook: com.acme.Missing }",
        "{ hook: app.Hello }");
    ForkedJvm.Result result =
        new ForkedJvm(directory).agent("camhook.yaml").run(onClassPath(), "app.Predict");

    assertThat(result.status()).isZero();
    assertThat(result.out().lines().filter("hook ."::equals)).hasSize(8);
    // The sign is the highest bit of a float.
    assertThat(result.out().lines().filter(line -> line.startsWith("7 ")).findFirst().orElseThrow())
        .isEqualTo(
            negated(plain.lines().filter(line -> line.startsWith("7 ")).findFirst().orElseThrow()));
    assertThat(result.err())
        .containsOnlyOnce(
            "camhook: model tiny: hook com.acme.Missing: expected a class of the application's,"
                + " found no such class in")
        .containsOnlyOnce(
            "camhook: model tiny: hook app.Hello: expected a class that implements"
                + " io.camhook.ForwardPreHook, ForwardPreHookWithParams, ForwardHook,"
                + " ForwardHookWithParams, FullBackwardPreHook or FullBackwardHook, found a class"
                + " that implements nothing; the model runs without it");
  }

  private static String negated(String line) {
    String[] bits = line.replaceAll("[\\[\\],]", "").split(" ");
    StringBuilder negated = new StringBuilder(bits[0]).append(" [");
    for (int i = 1; i < bits.length; i++) {
      negated.append(i > 1 ? ", " : "").append(Integer.parseInt(bits[i]) ^ Integer.MIN_VALUE);
    }
    return negated.append(']').toString();
  }

  private void hooks(String... hooks) throws IOException {
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - name: tiny
            hooks: [ %s ]
        output: { directory: captures }
        """
            .formatted(String.join(", ", hooks)));
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
