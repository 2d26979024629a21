package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.agent.weave.TinyOnnx;
import io.camhook.recording.Capture;
import io.camhook.recording.DType;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Tensor;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which passes of both engines are captured, and what is kept of them, with the packaged agent. */
class SamplingIT {
  @TempDir Path directory;

  /** An application that runs a classifier. */
  private enum Engine {
    DJL("tiny", "03Conv2d", 8, "app.Predict"),
    ONNX("tiny.onnx", "act", 24, "app.RunOnnx");

    final String model;
    final String layer;
    final int passes;
    final String application;

    Engine(String model, String layer, int passes, String application) {
      this.model = model;
      this.layer = layer;
      this.passes = passes;
      this.application = application;
    }

    String[] arguments() {
      return this == ONNX ? new String[] {"tiny.onnx", "file", "24"} : new String[0];
    }
  }

  /** Runs the application; {@code name} is that of the recording. */
  private List<Capture> record(Engine engine, String name, String ofModel, String sampling)
      throws Exception {
    Files.write(directory.resolve("tiny.onnx"), TinyOnnx.classifier());
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - { name: %s, layers: [%s], capture: [activation, gradient, output], target: top1 %s }
        sampling: { %s }
        limits: { whenFull: block, maxWait: 60s }
        output: { directory: %s }
        """
            .formatted(engine.model, engine.layer, ofModel, sampling, name));
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .run(
                ForkedJvm.applications() + File.pathSeparator + ForkedJvm.engine(),
                engine.application,
                engine.arguments());
    assertThat(result.status()).as(result.err()).isZero();
    List<Capture> all = new ArrayList<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve(name))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        all.add(capture);
      }
    }
    assertThat(result.err())
        .contains("%d of %d captures written to %s".formatted(all.size(), all.size(), name));
    return all;
  }

  /** The least certain sample's: softmax of its logits, the largest of them. */
  private static double confidence(Capture capture) {
    Tensor output = capture.tensors().get("output.0");
    float[] logits = output.toFloats();
    int classes = (int) output.size(1);
    double least = 1;
    for (int n = 0; n < logits.length / classes; n++) {
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(logits[n * classes + c]);
        largest = Math.max(largest, logits[n * classes + c]);
      }
      least = Math.min(least, Math.exp(largest) / sum);
    }
    return least;
  }

  private static String output(Capture capture) {
    return Arrays.toString(capture.tensors().get("output.0").toFloats());
  }

  @ParameterizedTest
  @EnumSource
  void condition_should_select_the_passes_whose_result_meets_it(Engine engine) throws Exception {
    List<Capture> all = record(engine, "all", "", "rate: 1");
    assertThat(all).hasSize(engine.passes);
    double[] confidences = all.stream().mapToDouble(SamplingIT::confidence).sorted().toArray();
    double bound = Arrays.stream(confidences).average().orElseThrow();
    String when = String.format(Locale.ROOT, "when: 'confidence < %.9f'", bound);
    List<Capture> unsure = record(engine, "unsure", "", when);
    assertThat(unsure).isNotEmpty().hasSizeLessThan(engine.passes);
    assertThat(unsure)
        .extracting(SamplingIT::output)
        .containsExactlyInAnyOrderElementsOf(
            all.stream()
                .filter(capture -> confidence(capture) < bound)
                .map(SamplingIT::output)
                .toList());
    assertThat(unsure)
        .allSatisfy(
            capture -> assertThat(capture.tensors()).containsKey("gradient/" + engine.layer));
  }

  @ParameterizedTest
  @EnumSource
  void every_fourth_pass_should_be_captured(Engine engine) throws Exception {
    assertThat(record(engine, "fourth", "", "every: 4")).hasSize(engine.passes / 4);
  }

  /** Σₖ meanₚ(gₖₚ) · Aₖ, in the order of the kept tensors; sums of floats, so to six digits. */
  private static double[] map(Capture capture, String layer) {
    Tensor activation = capture.tensors().get("activation/" + layer);
    float[] a = activation.toFloats();
    float[] g = capture.tensors().get("gradient/" + layer).toFloats();
    int samples = (int) activation.size(0);
    int channels = (int) activation.size(1);
    int positions = (int) (activation.size(2) * activation.size(3));
    double[] map = new double[samples * positions];
    for (int n = 0; n < samples; n++) {
      for (int k = 0; k < channels; k++) {
        int begin = (n * channels + k) * positions;
        double weight = 0;
        for (int p = 0; p < positions; p++) {
          weight += g[begin + p] / positions;
        }
        for (int p = 0; p < positions; p++) {
          map[n * positions + p] += weight * a[begin + p];
        }
      }
    }
    return map;
  }

  @ParameterizedTest
  @EnumSource
  void maps_should_be_kept_in_the_place_of_tensors(Engine engine) throws Exception {
    Map<String, Capture> whole =
        record(engine, "whole", "", "rate: 1").stream()
            .collect(Collectors.toMap(SamplingIT::output, c -> c, (one, same) -> one));
    List<Capture> reduced = record(engine, "reduced", ", reduce: cam", "rate: 1");
    assertThat(reduced).hasSize(engine.passes);
    for (Capture capture : reduced) {
      assertThat(capture.tensors())
          .doesNotContainKeys("activation/" + engine.layer, "gradient/" + engine.layer);
      float[] map = capture.tensors().get("raw/gradcam/" + engine.layer).toFloats();
      double[] expected = map(whole.get(output(capture)), engine.layer);
      double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      for (int i = 0; i < expected.length; i++) {
        assertThat((double) map[i]).isCloseTo(expected[i], Offset.offset(1e-6 * largest));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void tensors_should_be_kept_in_the_wanted_precision(Engine engine) throws Exception {
    List<Capture> whole = record(engine, "whole", "", "rate: 1");
    List<Capture> half = record(engine, "half", ", precision: float16", "rate: 1");
    assertThat(half).hasSize(engine.passes);
    for (Capture capture : half) {
      assertThat(capture.tensors().values()).allMatch(tensor -> tensor.dtype() == DType.F16);
      assertThat(whole).anyMatch(of -> isHalfOf(capture, of, "activation/" + engine.layer));
    }
  }

  /** Eleven binary digits, or a multiple of 2⁻²⁴, to the nearest. */
  private static boolean isHalfOf(Capture half, Capture whole, String name) {
    float[] narrow = half.tensors().get(name).toFloats();
    float[] values = whole.tensors().get(name).toFloats();
    for (int i = 0; i < values.length; i++) {
      double error = Math.max(0x1p-11 * Math.abs(values[i]), 0x1p-25);
      if (narrow.length != values.length || Math.abs(narrow[i] - values[i]) > error) {
        return false;
      }
    }
    return true;
  }
}
