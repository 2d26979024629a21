package io.camhook.cli;

import io.camhook.recording.Capture;
import io.camhook.recording.Damage;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import io.camhook.render.Picture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook process}: maps of every capture as files. */
@Command(
    name = "process",
    description = "Computes heatmaps of every capture of a recording and writes them as files.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Written per capture, with NAME its id:",
      "  NAME.safetensors    image, logits, raw/METHOD/LAYER, heatmap/METHOD;",
      "                      of the second target raw@1/…, heatmap@1/… and so on",
      "  NAME.METHOD.png     the heatmap over the picture (NAME.METHOD@1.png …); of a",
      "                      signal behind its lines, of a volume over its slices"
    })
final class ProcessCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(paramLabel = "RECORDING", description = "Directory that the agent recorded into.")
  private @SuppressWarnings("NullAway.Init") Path recording;

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "Where to write.")
  private @SuppressWarnings("NullAway.Init") Path output;

  @Option(
      names = "--follow",
      description = "Go on while the recording grows, until its writer closes it.")
  private boolean follow;

  private final Problems problems = new Problems();
  private final Map<String, Integer> maps = new TreeMap<>();
  private int pictures;
  private int samples;

  ProcessCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    CaptureExplainer explainer = explain.explainer(spec);
    List<String> damage = new ArrayList<>();
    int captures = 0;
    try (RecordingReader reader = RecordingReader.open(recording)) {
      int known = follow ? -1 : reader.ids().size();
      CaptureExplainer recorded = explainer.of(reader.manifest());
      try (Progress progress = new Progress("process", " captures", known)) {
        Files.createDirectories(output);
        for (Capture capture = next(reader); capture != null; capture = next(reader)) {
          List<Explanation> explanations = recorded.explain(capture);
          for (int sample = 0; sample < explanations.size(); sample++) {
            write(explanations.get(sample), input(capture, sample));
          }
          captures++;
          progress.step();
        }
      }
      reader.damage().stream().map(Damage::toString).forEach(damage::add);
    }
    if (captures == 0 && damage.isEmpty()) {
      throw new CommandFailure(
          recording + ": the recording holds no capture; was the model called, and sampled?");
    }
    summary(captures);
    for (String what : damage) {
      problems.add("damage", recording + ": " + what);
    }
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private @Nullable Capture next(RecordingReader reader) throws IOException, InterruptedException {
    return follow ? reader.follow(() -> false) : reader.next();
  }

  private void write(Explanation explanation, @Nullable Tensor input) throws IOException {
    samples++;
    explanation
        .problems()
        .forEach((method, why) -> problems.add(method, explanation.name() + ": " + why));
    ExplanationFile.write(output, explanation);
    for (Explanation.Maps each : explanation.maps()) {
      maps.merge(each.result().method(), 1, Integer::sum);
      Picture overlay = MapPicture.of(explanation, each.result(), input);
      if (overlay != null) {
        overlay.writePng(
            output.resolve(
                "%s.%s%s.png"
                    .formatted(explanation.name(), each.result().method(), each.suffix())));
        pictures++;
      }
    }
  }

  /** What was fed as this sample, without the batch; null when it was not recorded. */
  private static @Nullable Tensor input(Capture capture, int sample) {
    Tensor batch = capture.tensor(TensorName.input(0)).orElse(null);
    if (batch == null || batch.rank() < 2 || sample >= batch.size(0)) {
      return null;
    }
    long[] shape = Arrays.copyOfRange(batch.shape(), 1, batch.rank());
    int size = Math.toIntExact(batch.elements() / batch.size(0));
    return Tensor.ofFloats(
        Arrays.copyOfRange(batch.toFloats(), sample * size, (sample + 1) * size), shape);
  }

  private void summary(int captures) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%d captures%s, %d overlays in %s%n",
        captures, samples == captures ? "" : " of " + samples + " samples", pictures, output);
    maps.forEach((method, count) -> out.printf("  %-20s %d maps%n", method, count));
    out.flush();
  }
}
