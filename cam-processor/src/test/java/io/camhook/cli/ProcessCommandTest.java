package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessCommandTest {
  @TempDir Path folder;

  @Test
  void signal_should_be_drawn_as_lines_over_its_heat() throws IOException {
    // Grad-CAM is A itself, 0 to 1 over four steps: blue on the left, red on the right.
    Capture signal =
        deep("s", new long[] {1, 1, 4}, new float[] {0, 1, 2, 3})
            .tensor(
                TensorName.input(0), Tensor.ofFloats(new float[] {1, 2, 1, 2, 0, 0, 0, 0}, 1, 2, 4))
            .build();
    Path recording = TinyRecording.write(folder.resolve("rec"), signal);
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("process", recording, "-m", "gradcam", "-o", out);
    assertThat(run.err()).isEmpty();
    BufferedImage picture = ImageIO.read(out.resolve("s.gradcam.png").toFile());
    assertThat(picture.getWidth()).isEqualTo(512);
    assertThat(picture.getHeight()).as("a lane for each channel").isEqualTo(2 * 64);
    assertThat(new Color(picture.getRGB(5, 2)).getBlue()).isGreaterThan(180);
    assertThat(new Color(picture.getRGB(5, 2)).getRed()).isLessThan(140);
    assertThat(new Color(picture.getRGB(506, 2)).getRed()).isGreaterThan(180);
    assertThat(new Color(picture.getRGB(506, 2)).getBlue()).isLessThan(140);
  }

  @Test
  void volume_should_be_drawn_as_slices_side_by_side() throws IOException {
    Capture volume =
        deep("v", new long[] {1, 1, 2, 2, 2}, new float[] {0, 0, 0, 0, 0, 0, 0, 3})
            .tensor(TensorName.input(0), Tensor.ofFloats(new float[8], 1, 1, 2, 2, 2))
            .build();
    Path recording = TinyRecording.write(folder.resolve("rec"), volume);
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("process", recording, "-m", "gradcam", "-o", out);
    assertThat(run.err()).isEmpty();
    BufferedImage picture = ImageIO.read(out.resolve("v.gradcam.png").toFile());
    // two slices of 2×2 with a gap of 2 between them; the hottest cell is the last
    assertThat(picture.getWidth()).isEqualTo(2 + 2 + 2);
    assertThat(picture.getHeight()).isEqualTo(2);
    Color cold = new Color(picture.getRGB(0, 0));
    Color hot = new Color(picture.getRGB(5, 1));
    assertThat(hot.getRed()).isGreaterThan(hot.getBlue());
    assertThat(cold.getBlue()).isGreaterThan(cold.getRed());
  }

  /** HiResCAM is A ⊙ g summed over the channels: the values of "good", "bad" and "[SEP]". */
  @Test
  void recorded_ids_should_become_words() throws IOException {
    Capture capture =
        deep("t", new long[] {1, 3, 1}, new float[] {4, -2, 0})
            .tensor(TensorName.input(0), Tensor.ofLongs(new long[] {5, 6, 3}, 1, 3))
            .tensor(TensorName.input(1), Tensor.ofLongs(new long[] {1, 1, 1}, 1, 3))
            .build();
    Path recording = TinyRecording.write(folder.resolve("rec"), capture);
    Path tokenizer =
        Files.writeString(
            folder.resolve("tokenizer.json"),
            """
            {"model": {"vocab": {"[SEP]": 3, "good": 5, "bad": 6}}}
            """);
    Path out = folder.resolve("out");
    Invocation run =
        Invocation.of("process", recording, "-m", "hirescam", "--tokenizer", tokenizer, "-o", out);
    assertThat(run.err()).isEmpty();
    Safetensors written = Safetensors.read(out.resolve("t.safetensors"));
    assertThat(written.metadata()).containsEntry("extra.tokens", "[\"good\",\"bad\",\"[SEP]\"]");
    BufferedImage picture = ImageIO.read(out.resolve("t.hirescam.png").toFile());
    // the left edge of "good", in the red of what speaks for the score; "bad" in a paler blue
    assertThat(new Color(picture.getRGB(20, 25))).isEqualTo(new Color(190, 24, 40));
    boolean blue = false;
    for (int x = 20; x < 200; x++) {
      Color colour = new Color(picture.getRGB(x, 20));
      blue |= colour.getBlue() > colour.getRed() + 40;
    }
    assertThat(blue).isTrue();
    Path page = folder.resolve("report.html");
    Invocation report =
        Invocation.of("report", recording, "-m", "hirescam", "--tokenizer", tokenizer, "-o", page);
    assertThat(report.err()).isEmpty();
    assertThat(Invocation.of("report", recording, "--tokenizer", page, "-o", page).err())
        .contains("no tokenizer.json");
  }

  /** One channel with a gradient of ones: Grad-CAM is the activation. */
  private static Capture.Builder deep(String id, long[] shape, float[] activation) {
    float[] ones = new float[activation.length];
    java.util.Arrays.fill(ones, 1);
    return Capture.builder("deep")
        .id(id)
        .tensor(TensorName.output(0), Tensor.ofFloats(new float[] {2, 1}, 1, 2))
        .tensor(TensorName.activation(TinyRecording.CONV), Tensor.ofFloats(activation, shape))
        .tensor(TensorName.gradient(0, TinyRecording.CONV), Tensor.ofFloats(ones, shape))
        .targets(List.of(new Target(0, 0, 0, "a", 2)));
  }

  @Test
  void process_should_write_raw_maps_heatmaps_and_overlays() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("process", recording, "-m", "gradcam", "-m", "cam", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(files(out))
        .containsExactly(
            "a.cam.png", "a.cam@1.png", "a.gradcam.png", "a.gradcam@1.png", "a.safetensors");

    Safetensors maps = Safetensors.read(out.resolve("a.safetensors"));
    assertThat(maps.tensors().get("raw/gradcam/conv").toFloats()).containsExactly(-3, -1, 1, 3);
    assertThat(maps.tensors().get("raw@1/gradcam/conv").toFloats()).containsExactly(8, 6, 4, 2);
    assertThat(maps.tensors().get("raw/cam/conv").toFloats()).containsExactly(1, 2, 3, 4);
    assertThat(maps.tensors().get("raw@1/cam/conv").toFloats()).containsExactly(4, 3, 2, 1);
    // ReLU gives 0 0 1 3, scaled 0 0 1/3 1; resized to the picture's 4×4 the corners stay
    float[] heatmap = maps.tensors().get("heatmap/gradcam").toFloats();
    assertThat(maps.tensors().get("heatmap/gradcam").shape()).containsExactly(4, 4);
    assertThat(heatmap[0]).isZero();
    assertThat(heatmap[12]).isCloseTo(1 / 3f, Offset.offset(1e-6f));
    assertThat(heatmap[15]).isCloseTo(1f, Offset.offset(1e-6f));
    assertThat(maps.tensors().get("logits").toFloats()).containsExactly(2, 1, 0);

    BufferedImage overlay = ImageIO.read(out.resolve("a.gradcam.png").toFile());
    assertThat(overlay.getWidth()).isEqualTo(4);
    // hottest corner is reddest
    assertThat(overlay.getRGB(3, 3) >> 16 & 0xff).isGreaterThan(overlay.getRGB(0, 0) >> 16 & 0xff);
  }

  @Test
  void methods_should_be_chosen_by_what_was_recorded() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.capture("b").build());
    Path out = folder.resolve("out");
    assertThat(Invocation.of("process", recording, "-o", out).status()).isZero();
    assertThat(files(out)).contains("a.gradcam.png", "a.cam.png", "b.eigencam.png");
  }

  @Test
  void missing_gradient_should_fail_in_one_line_that_says_what_to_do() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"),
            TinyRecording.capture("a").build(),
            TinyRecording.capture("b").build());
    Invocation run =
        Invocation.of("process", recording, "-m", "gradcam", "-o", folder.resolve("out"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: a: gradcam needs the gradient of the target with respect to the layer, which"
                + " is missing for layer conv; record it: capture: [gradient] and a target other"
                + " than none (and 1 more)\n");
  }

  @Test
  void unknown_layer_should_fail_and_name_the_nearest() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Invocation run = Invocation.of("process", recording, "-l", "covn", "-o", folder.resolve("out"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: layer 'covn' is not in capture a; nearest of the 1 recorded: [conv]\n");
  }

  @Test
  void layers_should_be_chosen_by_glob_and_averaged() throws IOException {
    Capture capture =
        TinyRecording.capture("a")
            .tensor(
                TensorName.activation(LayerOutput.of("block.conv1")),
                Tensor.ofFloats(new float[] {0, 0, 0, 1}, 1, 1, 2, 2))
            .tensor(
                TensorName.activation(LayerOutput.of("block.conv2")),
                Tensor.ofFloats(new float[] {1, 0, 0, 0}, 1, 1, 2, 2))
            .build();
    Path recording = TinyRecording.write(folder.resolve("rec"), capture);
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("process", recording, "-m", "fem", "-l", "block.*", "-o", out);
    assertThat(run.err()).isEmpty();
    assertThat(Safetensors.read(out.resolve("a.safetensors")).tensors())
        .containsKeys("raw/fem/block.conv1", "raw/fem/block.conv2", "heatmap/fem")
        .doesNotContainKey("raw/fem/conv");
  }

  @Test
  void every_sample_of_a_batch_should_have_its_files() throws IOException {
    Capture capture =
        Capture.builder("tiny")
            .id("batch")
            .tensor(
                TensorName.activation(TinyRecording.CONV),
                Tensor.ofFloats(new float[] {1, 0, 0, 0, 0, 0, 0, 1}, 2, 1, 2, 2))
            .build();
    Path recording = TinyRecording.write(folder.resolve("rec"), capture);
    Path out = folder.resolve("out");
    assertThat(Invocation.of("process", recording, "-m", "fem", "-o", out).status()).isZero();
    assertThat(files(out))
        .contains("batch-0.safetensors", "batch-1.safetensors", "batch-1.fem.png");
  }

  @Test
  void empty_recording_should_fail_in_one_line() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"));
    Invocation run = Invocation.of("process", recording, "-o", folder.resolve("out"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "camhook: %s: the recording holds no capture; was the model called, and sampled?\n"
                .formatted(recording));
  }

  @Test
  void truncated_shard_should_be_named_after_the_intact_captures_are_done() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    truncate(recording);
    Path out = folder.resolve("out");
    Invocation run = Invocation.of("process", recording, "-m", "gradcam", "-o", out);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("camhook: " + recording + ": captures-000001.tar")
        .hasLineCount(1);
    assertThat(files(out)).contains("a.safetensors").doesNotContain("b.safetensors");
  }

  @Test
  void follow_should_end_with_a_closed_recording() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), TinyRecording.full("a"));
    Path out = folder.resolve("out");
    assertThat(Invocation.of("process", recording, "--follow", "-o", out).status()).isZero();
    assertThat(files(out)).contains("a.safetensors");
  }

  @Test
  void verify_should_pass_an_intact_recording_and_name_what_is_damaged() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    Invocation intact = Invocation.of("verify", recording);
    assertThat(intact.status()).isZero();
    assertThat(intact.out()).startsWith(recording + ": 2 intact captures in 1 shards, ");
    truncate(recording);
    Invocation damaged = Invocation.of("verify", recording);
    assertThat(damaged.status()).isEqualTo(1);
    assertThat(damaged.out()).startsWith(recording + ": 1 intact captures");
    assertThat(damaged.err()).contains("captures-000001.tar").doesNotContain("\tat ");
  }

  /** Cuts the shard in the middle of its second capture. */
  static void truncate(Path recording) throws IOException {
    try (FileChannel shard =
        FileChannel.open(recording.resolve("captures-000001.tar"), StandardOpenOption.WRITE)) {
      shard.truncate(shard.size() * 3 / 4 - 512);
    }
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void following_again_should_leave_alone_what_is_written() throws IOException {
    Path recording =
        TinyRecording.write(
            folder.resolve("rec"), TinyRecording.full("a"), TinyRecording.full("b"));
    Path out = folder.resolve("out");
    Invocation first = Invocation.of("process", recording, "-m", "gradcam", "--follow", "-o", out);
    assertThat(first.err()).isEmpty();
    assertThat(first.out()).startsWith("2 captures");
    Object before = Files.getLastModifiedTime(out.resolve("a.safetensors"));
    Files.delete(out.resolve("b.safetensors"));
    Invocation again = Invocation.of("process", recording, "-m", "gradcam", "--follow", "-o", out);
    assertThat(again.err()).isEmpty();
    assertThat(again.out()).startsWith("1 captures").contains("1 captures were there already");
    assertThat(Files.getLastModifiedTime(out.resolve("a.safetensors"))).isEqualTo(before);
    // with other options it is made again
    Invocation other = Invocation.of("process", recording, "-m", "hirescam", "--follow", "-o", out);
    assertThat(other.out()).startsWith("2 captures").doesNotContain("already");
  }
}
