package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.builtin.Baseline;
import io.camhook.builtin.Baseline.Key;
import io.camhook.builtin.Baseline.Usual;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaselineCommandTest {
  @TempDir Path folder;

  private static Capture capture(String id, float... values) {
    return Capture.builder("net")
        .id(id)
        .tensor(
            TensorName.activation(LayerOutput.of("conv")),
            Tensor.ofFloats(values, 1, 1, 1, values.length))
        .build();
  }

  /** Means 1 and 3: 2 ± √2. Norms of (0,2) and (2,4): 2 and √20, zeros 1/2 and 0. */
  @Test
  void captures_should_give_mean_and_deviation_over_the_steps() throws IOException {
    Path recording =
        TinyRecording.write(folder.resolve("rec"), capture("a", 0, 2), capture("b", 2, 4));
    Path file = folder.resolve("base.json");
    Invocation run = Invocation.of("baseline", recording, "-o", file);
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualToIgnoringNewLines(file + ": 1 layers and values, 2 steps, from the captures");
    double root20 = Math.sqrt(20);
    Usual usual = Baseline.read(file).layers().get(new Key("net", "conv", "activation"));
    assertThat(usual.steps()).isEqualTo(2);
    assertThat(usual.mean()).isEqualTo(2);
    assertThat(usual.meanStd()).isCloseTo(Math.sqrt(2), org.assertj.core.data.Offset.offset(1e-12));
    assertThat(usual.norm())
        .isCloseTo((2 + root20) / 2, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(usual.normStd())
        .isCloseTo((root20 - 2) / Math.sqrt(2), org.assertj.core.data.Offset.offset(1e-12));
    assertThat(usual.zeros()).isEqualTo(0.25);
  }

  @Test
  void lines_of_the_stats_hook_should_come_first() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), capture("a", 0, 2));
    String line =
        "{\"model\":\"net\",\"step\":%d,\"path\":\"fc\",\"call\":0,\"value\":\"gradient\",\"output\":0,"
            + "\"shape\":[1],\"count\":1,\"mean\":%d,\"std\":0,\"min\":0,\"max\":0,\"zeros\":0,\"norm\":1,\"nonFinite\":0}\n";
    Files.writeString(
        recording.resolve("stats.jsonl"),
        line.formatted(0, 1) + line.formatted(1, 3) + line.formatted(2, 5));
    Path file = folder.resolve("base.json");
    Invocation run = Invocation.of("baseline", recording, "-o", file);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).contains("3 steps, from stats.jsonl");
    Usual usual = Baseline.read(file).layers().get(new Key("net", "fc", "gradient"));
    assertThat(usual.mean()).isEqualTo(3);
    assertThat(usual.meanStd()).isEqualTo(2);
  }

  @Test
  void single_step_should_be_too_little() throws IOException {
    Path recording = TinyRecording.write(folder.resolve("rec"), capture("a", 0, 2));
    Invocation run = Invocation.of("baseline", recording, "-o", folder.resolve("base.json"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("a baseline needs two steps of a layer");
  }
}
