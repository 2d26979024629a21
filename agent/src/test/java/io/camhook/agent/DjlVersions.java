package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A program with Java blocks, one with a TorchScript archive and one that trains, on versions of
 * DJL with the PyTorch of each; run with {@code -Pdjl-versions}.
 */
class DjlVersions {
  private static final String YAML =
      """
      models:
        - { name: tiny, layers: ["0*Conv2d", "0*Linear"] }
        - { name: net, layers: [features] }
      output: { directory: captures }
      """;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"0.28.0", "0.30.0", "0.32.0", "0.33.0", "0.36.0"})
  void supported_version_should_give_the_same_results_and_record_every_pass(String version)
      throws Exception {
    for (String program : new String[] {"Predict", "PredictScript", "Train"}) {
      Path place = prepare(program);
      ForkedJvm.Result plain = run(place, version, program, false);
      ForkedJvm.Result attached = run(place, version, program, true);

      assertThat(plain.status()).as(plain.err()).isZero();
      assertThat(attached.status()).as(attached.err()).isZero();
      assertThat(attached.out()).as(program).isEqualTo(plain.out());
      int passes = program.equals("Train") ? 50 : 8;
      assertThat(attached.err())
          .contains("%d of %d captures written to captures, 0 dropped".formatted(passes, passes))
          .doesNotContain("\tat ");
      assertRecorded(place.resolve("captures"), passes);
    }
    assertThat(directory.resolve("Train/with"))
        .hasSameBinaryContentAs(directory.resolve("Train/without"));
  }

  @ParameterizedTest
  @ValueSource(strings = "0.27.0")
  void older_version_should_run_as_it_is_and_be_refused_in_one_line(String version)
      throws Exception {
    for (String program : new String[] {"Predict", "PredictScript", "Train"}) {
      Path place = prepare(program);
      ForkedJvm.Result plain = run(place, version, program, false);
      ForkedJvm.Result attached = run(place, version, program, true);

      assertThat(attached.status()).as(attached.err()).isZero();
      assertThat(attached.out()).as(program).isEqualTo(plain.out());
      assertThat(attached.err())
          .contains("DJL 0.27.0 is not instrumented: camhook works with DJL 0.28 to 0.36")
          .doesNotContain("\tat ");
      assertThat(place.resolve("captures")).doesNotExist();
    }
  }

  private Path prepare(String program) throws IOException {
    Path place = Files.createDirectories(directory.resolve(program));
    Files.writeString(place.resolve("camhook.yaml"), YAML);
    Files.copy(
        Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt"),
        place.resolve("net.pt"));
    return place;
  }

  private static ForkedJvm.Result run(Path place, String version, String program, boolean agent)
      throws Exception {
    ForkedJvm jvm = new ForkedJvm(place);
    if (agent) {
      jvm.agent("camhook.yaml");
    }
    return jvm.run(classPath(version), "app." + program, agent ? "with" : "without");
  }

  private static String classPath(String version) throws IOException {
    String others =
        Arrays.stream(ForkedJvm.engine().split(File.pathSeparator))
            .filter(jar -> !jar.contains("/ai/djl/"))
            .collect(Collectors.joining(File.pathSeparator));
    Path folder = Path.of(System.getProperty("camhook.djl"), version);
    try (Stream<Path> jars = Files.list(folder)) {
      return Stream.concat(Stream.of(ForkedJvm.applications(), others), jars.map(Path::toString))
          .collect(Collectors.joining(File.pathSeparator));
    }
  }

  private static void assertRecorded(Path recording, int passes) throws IOException {
    int captures = 0;
    try (RecordingReader reader = RecordingReader.open(recording)) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        captures++;
        assertThat(capture.tensors().keySet())
            .anyMatch(name -> name.startsWith("activation/"))
            .anyMatch(name -> name.startsWith("gradient/"));
      }
    }
    assertThat(captures).isEqualTo(passes);
  }
}
