package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Prediction;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {
  private static final LayerOutput LAYER = LayerOutput.of("conv");

  @TempDir Path folder;
  private Path recording;
  private Capture capture;

  @BeforeEach
  void record() throws IOException {
    capture =
        Capture.builder("net")
            .id("c-1")
            .targets(List.of(new Target(0, 0, 1, "chat é", 2)))
            .topK(List.of(List.of(new Prediction(1, "chat é", 0.75))))
            .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[4 * 4 * 3], 4, 4, 3))
            .tensor(
                TensorName.activation(LAYER), Tensor.ofFloats(new float[] {0, 1, 2, 3}, 1, 1, 2, 2))
            .tensor(
                TensorName.gradient(0, LAYER),
                Tensor.ofFloats(new float[] {1, 1, 1, 1}, 1, 1, 2, 2).to(DType.BF16))
            .build();
    recording = TinyRecording.write(folder.resolve("rec"), capture);
  }

  @Test
  void safetensors_should_be_the_blobs_of_the_recording() throws IOException {
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("export", recording, "--format", "safetensors", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).isEqualToIgnoringNewLines("1 captures in " + out);
    assertThat(Files.readAllBytes(out.resolve("c-1.safetensors"))).isEqualTo(capture.toBytes());
  }

  /** The format of numpy.lib.format, version 1.0. */
  @Test
  void npz_should_have_an_array_for_each_tensor() throws IOException {
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("export", recording, "--format", "npz", "-o", out);
    assertThat(run.err()).isEmpty();
    try (ZipFile zip = new ZipFile(out.resolve("c-1.npz").toFile())) {
      byte[] npy = zip.getInputStream(zip.getEntry("activation/conv.npy")).readAllBytes();
      assertThat(npy).startsWith(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0);
      ByteBuffer in = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN);
      int header = in.getShort(8);
      assertThat((10 + header) % 64).isZero();
      assertThat(new String(npy, 10, header, StandardCharsets.US_ASCII))
          .matches("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\(1, 1, 2, 2\\), } *\n");
      assertThat(in.getFloat(10 + header + 12)).isEqualTo(3);
      assertThat(npy).hasSize(10 + header + 16);
      // NumPy has no bfloat16
      byte[] gradient = zip.getInputStream(zip.getEntry("gradient/conv.npy")).readAllBytes();
      assertThat(new String(gradient, StandardCharsets.ISO_8859_1)).contains("'<f4'");
      byte[] model = zip.getInputStream(zip.getEntry("model.npy")).readAllBytes();
      assertThat(new String(model, StandardCharsets.ISO_8859_1)).contains("'<U3'", "'shape': ()");
      assertThat(zip.getEntry("targets.npy")).isNotNull();
    }
  }

  @Test
  void tensorboard_should_get_images_histograms_text_and_numbers() throws IOException {
    Path out = folder.resolve("out");
    Invocation run =
        Invocation.of("export", recording, "--format", "tensorboard", "-m", "gradcam", "-o", out);
    assertThat(run.err()).isEmpty();
    List<Path> files;
    try (var all = Files.list(out)) {
      files = all.toList();
    }
    assertThat(files).singleElement().satisfies(f -> assertThat(f.toString()).contains("tfevents"));
    String bytes = Files.readString(files.get(0), StandardCharsets.ISO_8859_1);
    assertThat(bytes)
        .contains("brain.Event:2", "net/input", "net/gradcam", "net/confidence")
        .contains("net/activation/conv", "net/gradient/conv", "net/predictions");
  }

  @Test
  void unknown_format_should_be_wrong_usage() {
    Invocation run = Invocation.of("export", recording, "--format", "xml", "-o", folder);
    assertThat(run.status()).isEqualTo(2);
  }

  /** Grad-CAM of one channel with gradient 1 is A: 0, 1, 2, 3 scaled to 0 … 1. */
  @Test
  void show_should_draw_the_newest_capture() {
    Invocation run =
        Invocation.of("show", recording, "-m", "gradcam", "--width", "4", "--colour", "never");
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("c-1  net", " 75.00 %  chat é (1)", "target 0: chat é (1), score 2.0000")
        .contains("activation/conv                  F32 [1, 1, 2, 2]");
    String[] lines = run.out().split("\\R");
    assertThat(lines[lines.length - 3]).isEqualTo("gradcam");
    String upper = lines[lines.length - 2];
    String lower = lines[lines.length - 1];
    assertThat(upper).hasSize(4);
    assertThat(shade(upper, 0)).isLessThan(shade(upper, 3));
    assertThat(shade(upper, 3)).isLessThan(shade(lower, 0));
    assertThat(shade(lower, 0)).isLessThan(shade(lower, 3));
  }

  @Test
  void show_should_tell_the_model_and_its_hash() throws IOException {
    try (RecordingWriter writer =
        RecordingWriter.open(recording, Run.begin(null, Map.of()), 1 << 20)) {
      writer.model(new ModelInfo("net", List.of()).on("PyTorch 2.7.1").hashedByParameters("00ff"));
    }
    assertThat(Invocation.of("show", recording, "--colour", "never").out())
        .startsWith("model net: PyTorch 2.7.1, SHA-256 of its parameters 00ff");
  }

  private static int shade(String line, int at) {
    return " .:-=+*#%@".indexOf(line.charAt(at));
  }

  @Test
  void show_should_take_files_and_colours_and_name_what_is_missing() {
    Path out = folder.resolve("out");
    Invocation.of("process", recording, "-m", "gradcam", "-o", out);
    Invocation file = Invocation.of("show", out.resolve("c-1.safetensors"), "--colour", "always");
    assertThat(file.err()).isEmpty();
    assertThat(file.out()).contains("gradcam", "\u001b[38;2;", "▀");
    Invocation missing = Invocation.of("show", recording, "d");
    assertThat(missing.status()).isEqualTo(1);
    assertThat(missing.err()).contains("no capture of id d; there are 1, from c-1 to c-1");
  }
}
