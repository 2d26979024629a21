package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.explain.OneConv;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged jar alone, without PyTorch's natives beside it. */
class MissingNativesIT {
  private static final String MESSAGE =
      "camhook: PyTorch's native library is missing; add "
          + System.getProperty("pytorch.artifact")
          + " to the class path\n";

  @TempDir Path folder;
  private PackagedCommand camhook;
  private Path model;

  @BeforeEach
  void copy_the_jar_alone() throws IOException {
    camhook = new PackagedCommand(Files.copy(PackagedCommand.JAR, folder.resolve("c.jar")), folder);
    model = OneConv.model(folder);
  }

  @Test
  void what_runs_a_model_should_name_the_artifact_to_add() throws Exception {
    Path input =
        OneConv.tensors(folder.resolve("ramp.safetensors"), Map.of("input", OneConv.input()));
    assertThat(camhook.run("explain", model, input, "-o", folder.resolve("out")))
        .isEqualTo(new Invocation(1, "", MESSAGE));
    assertThat(camhook.run("layers", model, "--input-shape", "1x1x4x4"))
        .isEqualTo(new Invocation(1, "", MESSAGE));
  }

  @Test
  void what_runs_no_model_should_work() throws Exception {
    assertThat(camhook.run("layers", model).out()).contains("conv1  Conv2d", "5 modules");
    Invocation help = camhook.run("explain", "--help");
    assertThat(help.status()).isZero();
    assertThat(help.out()).contains("MODEL INPUT...");

    Path recording = TinyRecording.write(folder.resolve("recording"), TinyRecording.full("a"));
    Invocation verified = camhook.run("verify", recording);
    assertThat(verified.err()).isEmpty();
    assertThat(verified.status()).isZero();
    Invocation processed =
        camhook.run("process", recording, "-m", "gradcam", "-o", folder.resolve("maps"));
    assertThat(processed.err()).isEmpty();
    assertThat(processed.status()).isZero();
    Path report = folder.resolve("report.html");
    assertThat(camhook.run("report", recording, "-o", report).status()).isZero();
    assertThat(report).isNotEmptyFile();
  }
}
