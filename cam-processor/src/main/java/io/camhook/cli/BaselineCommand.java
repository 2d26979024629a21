package io.camhook.cli;

import io.camhook.builtin.Baseline;
import io.camhook.builtin.Baseline.Key;
import io.camhook.builtin.Baseline.Usual;
import io.camhook.recording.Capture;
import io.camhook.recording.Damage;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import io.camhook.report.LayerStatistics.Step;
import io.camhook.report.StatsLines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook baseline}: computes a model's usual layer statistics from a recording. */
@Command(
    name = "baseline",
    description = {
      "Writes the usual statistics of each layer in a recording: mean, norm and zeros over steps.",
      "They come from the lines of a stats hook if there are any, else from captures. A stats hook",
      "compares with it: { hook: stats, baseline: base.json, warn: 4 }"
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class BaselineCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(paramLabel = "RECORDING", description = "Directory that the agent recorded into.")
  private @SuppressWarnings("NullAway.Init") Path recording;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "Output file (JSON).")
  private @SuppressWarnings("NullAway.Init") Path output;

  private final Problems problems = new Problems();
  private final Map<Key, LayerMoments> courses = new LinkedHashMap<>();

  BaselineCommand() {}

  private static final class LayerMoments {
    final Moments mean = new Moments();
    final Moments norm = new Moments();
    final Moments zeros = new Moments();

    Usual usual() {
      return new Usual(
          mean.n(), mean.mean(), mean.std(), norm.mean(), norm.std(), zeros.mean(), zeros.std());
    }
  }

  @Override
  public Integer call() throws IOException {
    boolean lines = StatsLines.existIn(recording);
    if (lines) {
      StatsLines.each(
              recording, (model, layer, value, step) -> add(new Key(model, layer, value), step))
          .forEach(what -> problems.add("damage", what));
    } else {
      readCaptures();
    }
    Map<Key, Usual> usual = new LinkedHashMap<>();
    long steps = 0;
    for (Map.Entry<Key, LayerMoments> each : courses.entrySet()) {
      Usual found = each.getValue().usual();
      if (found.steps() > 1) {
        usual.put(each.getKey(), found);
        steps = Math.max(steps, found.steps());
      }
    }
    if (usual.isEmpty()) {
      throw new CommandFailure(
          recording
              + ": a baseline needs two steps of a layer, from a stats hook or from captures of"
              + " activations");
    }
    new Baseline(usual).write(output);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: %d layers and values, %d steps, from %s%n",
        output, usual.size(), steps, lines ? StatsLines.NAME : "the captures");
    out.flush();
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private void readCaptures() throws IOException {
    try (RecordingReader reader = RecordingReader.open(recording);
        Progress progress = new Progress("baseline", " captures", reader.ids().size())) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        for (LayerOutput layer : capture.layers()) {
          add(capture, layer, "activation", TensorName.activation(layer));
          add(capture, layer, "gradient", TensorName.gradient(0, layer));
        }
        progress.step();
      }
      for (Damage damage : reader.damage()) {
        problems.add("damage", recording + ": " + damage);
      }
    }
  }

  private void add(Capture capture, LayerOutput layer, String value, TensorName name) {
    Tensor tensor = capture.tensor(name).orElse(null);
    if (tensor != null) {
      add(new Key(capture.model(), layer.toString(), value), Step.of(tensor.toFloats()));
    }
  }

  private void add(Key key, Step step) {
    if (Double.isFinite(step.mean())) {
      LayerMoments course = courses.computeIfAbsent(key, ignored -> new LayerMoments());
      course.mean.add(step.mean());
      course.norm.add(step.norm());
      course.zeros.add(step.zeros());
    }
  }
}
