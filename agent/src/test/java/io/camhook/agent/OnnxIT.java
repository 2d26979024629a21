package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.agent.weave.TinyOnnx;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A program that uses onnxruntime and nothing else, with the shaded jar. */
class OnnxIT {
  private static final int RUNS = 24;

  @TempDir Path directory;
  private Path model;

  @BeforeEach
  void write() throws IOException {
    model = Files.write(directory.resolve("tiny.onnx"), TinyOnnx.classifier());
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        version: 1
        models:
          - name: "tiny*"
            layers: [act]
            capture: [input, activation, gradient, output]
            target: class:1
        sampling: { rate: 1 }
        output: { directory: captures }
        """);
  }

  private static String ownOnnxruntime() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> Path.of(entry).getFileName().toString().startsWith("onnxruntime-"))
        .findFirst()
        .orElseThrow();
  }

  /** With {@code -Ponnxruntime}: all supported versions. */
  static List<Path> versions() throws IOException {
    String folder = System.getProperty("camhook.onnxruntime", "");
    if (folder.isEmpty()) {
      return List.of(Path.of(ownOnnxruntime()));
    }
    try (Stream<Path> jars = Files.list(Path.of(folder))) {
      return jars.filter(jar -> jar.toString().endsWith(".jar")).sorted().toList();
    }
  }

  private ForkedJvm.Result run(boolean agent, Path onnxruntime, String source) throws Exception {
    ForkedJvm jvm = new ForkedJvm(directory);
    if (agent) {
      jvm.agent("camhook.yaml");
    }
    return jvm.run(
        ForkedJvm.applications() + File.pathSeparator + onnxruntime,
        "app.RunOnnx",
        model.toString(),
        source,
        Integer.toString(RUNS));
  }

  private String manifest() throws IOException {
    return Files.readString(directory.resolve("captures/manifest.json"));
  }

  private List<Capture> captures() throws IOException {
    List<Capture> all = new ArrayList<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve("captures"))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        all.add(capture);
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("versions")
  void program_should_answer_the_same_and_be_captured(Path onnxruntime) throws Exception {
    ForkedJvm.Result plain = run(false, onnxruntime, "file");
    ForkedJvm.Result woven = run(true, onnxruntime, "file");
    assertThat(woven.status()).as(woven.err()).isZero();
    assertThat(woven.out()).isEqualTo(plain.out());
    assertThat(woven.err()).contains("%d of %d captures written".formatted(RUNS, RUNS));
    assertThat(manifest()).contains(ForkedJvm.sha256(model));
    for (Capture capture : captures()) {
      int batch = (int) capture.tensors().get("output.0").shape()[0];
      float[] gradient = capture.tensors().get("gradient/act").toFloats();
      for (int i = 0; i < 8 * batch; i++) { // WEIGHT[1] / 4, at four places each
        assertThat(gradient[i]).isEqualTo(i % 8 < 4 ? 0.75f : -1);
      }
    }
  }

  @Test
  void protobuf_of_the_agent_should_not_be_seen() throws Exception {
    ForkedJvm.Result woven = run(true, Path.of(ownOnnxruntime()), "bytes");
    assertThat(woven.out()).contains("protobuf: none");
    assertThat(captures()).hasSize(RUNS);
    assertThat(manifest()).as("bytes are those of the file").contains(ForkedJvm.sha256(model));
    String lines = woven.err().lines().collect(Collectors.joining("\n"));
    assertThat(lines).doesNotContain("WARN").doesNotContain("Exception");
  }

  /**
   * A capture would hold 64 MB of inputs, and the heap has 48 MB: the application does not notice.
   */
  @Test
  void heap_without_room_for_a_capture_should_switch_capturing_off() throws Exception {
    ForkedJvm.Result woven =
        new ForkedJvm(directory)
            .jvm("-Xmx48m", "-XX:MaxDirectMemorySize=1g")
            .agent("camhook.yaml")
            .run(
                ForkedJvm.applications() + File.pathSeparator + ownOnnxruntime(),
                "app.LargeOnnx",
                model.toString());
    assertThat(woven.status()).as(woven.err()).isZero();
    assertThat(woven.out().lines()).hasSize(5).containsOnly("[2000000, 3]");
    assertThat(woven.err())
        .containsOnlyOnce("memory ran out while captures were made; nothing is captured any more")
        .contains("camhook: 0 of 5 captures written to captures, 4 dropped, 1 failed");
  }
}
