package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.camhook.agent.weave.TinyOnnx;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A DJL program on its OnnxRuntime engine, without PyTorch. Runs with {@code -Ponnx-hosts}. */
class DjlOnnxIT {
  @TempDir Path directory;

  @Test
  void request_of_a_predictor_should_be_captured_with_its_picture() throws Exception {
    String folder = System.getProperty("camhook.djlonnx", "");
    assumeFalse(folder.isEmpty(), "runs with -Ponnx-hosts");
    Files.write(directory.resolve("tiny.onnx"), TinyOnnx.classifier());
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        version: 1
        models:
          - name: tiny
            layers: [act]
            target: class:1
        sampling: { rate: 1 }
        output: { directory: captures }
        """);
    Path program = directory.resolve("Predict.java");
    try (var source = DjlOnnxIT.class.getResourceAsStream("/djl-onnx/Predict.java")) {
      Files.write(program, Objects.requireNonNull(source).readAllBytes());
    }
    String jars;
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      jars = files.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
    String model = directory.resolve("tiny.onnx").toString();
    ForkedJvm.Result plain = new ForkedJvm(directory).run(jars, program.toString(), model);
    assertThat(plain.status()).as(plain.err()).isZero();
    ForkedJvm.Result woven =
        new ForkedJvm(directory).agent("camhook.yaml").run(jars, program.toString(), model);
    assertThat(woven.status()).as(woven.err()).isZero();
    assertThat(woven.out()).isEqualTo(plain.out());
    assertThat(woven.err()).doesNotContain("Exception").doesNotContain("not instrumented");
    try (RecordingReader reader = RecordingReader.open(directory.resolve("captures"))) {
      Capture capture = Objects.requireNonNull(reader.next());
      byte[] image = new byte[12];
      capture.tensors().get("image").data().get(image);
      // the one bright pixel, 0xff8040, stands on the right of the first row
      assertThat(image).containsExactly(0, 0, 0, 0xff, 0x80, 0x40, 0, 0, 0, 0, 0, 0);
      assertThat(capture.tensors().get("gradient/act").toFloats())
          .containsExactly(0.75f, 0.75f, 0.75f, 0.75f, -1, -1, -1, -1);
      assertThat(reader.next()).isNull();
    }
  }
}
