package io.camhook.cli;

import io.camhook.export.EventFile;
import io.camhook.export.NumpyArchive;
import io.camhook.recording.Capture;
import io.camhook.recording.Damage;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Run;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import io.camhook.render.Picture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook export}: a recording in another tool's format. */
@Command(
    name = "export",
    description = "Writes a recording in the format of another tool.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "npz          ID.npz for each capture, for numpy.load; metadata as strings",
      "safetensors  ID.safetensors for each capture, unchanged",
      "tensorboard  an event file: tensorboard --logdir DIR. A step is a capture. Heatmaps over",
      "             the pictures as images, the distribution of each recorded layer as",
      "             histograms, predictions as text"
    })
final class ExportCommand implements Callable<Integer> {
  enum Format {
    NPZ,
    SAFETENSORS,
    TENSORBOARD
  }

  /** Takes captures one after the other. */
  private interface Sink {
    void accept(Capture capture, long step) throws IOException;
  }

  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(paramLabel = "RECORDING", description = "Directory that the agent recorded into.")
  private @SuppressWarnings("NullAway.Init") Path recording;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      required = true,
      description = "One of npz, safetensors, tensorboard.")
  private @SuppressWarnings("NullAway.Init") Format format;

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "Output directory.")
  private @SuppressWarnings("NullAway.Init") Path output;

  private final Problems problems = new Problems();

  ExportCommand() {}

  @Override
  public Integer call() throws IOException {
    long captures;
    try (RecordingReader reader = RecordingReader.open(recording)) {
      Files.createDirectories(output);
      captures =
          switch (format) {
            case NPZ -> export(reader, this::npz);
            case SAFETENSORS -> export(reader, this::safetensors);
            case TENSORBOARD -> tensorboard(reader);
          };
      for (Damage damage : reader.damage()) {
        problems.add("damage", recording + ": " + damage);
      }
    }
    if (captures == 0 && problems.isEmpty()) {
      throw new CommandFailure(recording + ": the recording holds no capture");
    }
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%d captures in %s%n", captures, output);
    out.flush();
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private long export(RecordingReader reader, Sink sink) throws IOException {
    long step = 0;
    try (Progress progress = new Progress("export", " captures", reader.ids().size())) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        sink.accept(capture, step++);
        progress.step();
      }
    }
    return step;
  }

  private void npz(Capture capture, long step) throws IOException {
    Map<String, String> strings = capture.facts();
    strings.keySet().removeAll(capture.tensors().keySet());
    AtomicFile.write(
        output.resolve(capture.id() + ".npz"),
        file -> NumpyArchive.write(file, capture.tensors(), strings));
  }

  private void safetensors(Capture capture, long step) throws IOException {
    byte[] blob = capture.toBytes();
    AtomicFile.write(
        output.resolve(capture.id() + ExplanationFile.SUFFIX), file -> Files.write(file, blob));
  }

  private long tensorboard(RecordingReader reader) throws IOException {
    CaptureExplainer explainer = explain.explainer(spec).of(reader.manifest());
    List<Run> runs = reader.manifest().runs();
    Instant started = runs.isEmpty() ? Instant.EPOCH : runs.get(0).started();
    String host = runs.isEmpty() ? "host" : runs.get(0).host().replaceAll("[^A-Za-z0-9-]", "-");
    Path file =
        output.resolve("events.out.tfevents.%d.%s".formatted(started.getEpochSecond(), host));
    try (EventFile events = new EventFile(file)) {
      return export(reader, (capture, step) -> write(events, explainer, capture, step));
    }
  }

  private void write(EventFile events, CaptureExplainer explainer, Capture capture, long step)
      throws IOException {
    Instant time = capture.time();
    String model = capture.model() + "/";
    List<Explanation> samples = explainer.explain(capture);
    for (int i = 0; i < samples.size(); i++) {
      Explanation sample = samples.get(i);
      String suffix = samples.size() == 1 ? "" : "/" + i;
      Picture picture = sample.picture();
      if (picture != null) {
        image(events, model + "input" + suffix, step, time, picture);
      }
      for (Explanation.Maps maps : sample.maps()) {
        Picture overlay = MapPicture.of(sample, maps.result(), sample.fed().input());
        if (overlay != null) {
          String tag = model + maps.result().name() + maps.suffix() + suffix;
          image(events, tag, step, time, overlay);
        }
      }
      if (explain.namesMethods()) {
        sample
            .problems()
            .forEach((method, why) -> problems.add(method, sample.name() + ": " + why));
      }
      events.text(model + "predictions" + suffix, step, time, predictions(sample));
      if (!sample.predictions().isEmpty()) {
        float best = (float) sample.predictions().get(0).probability();
        events.scalar(model + "confidence" + suffix, step, time, best);
      }
    }
    for (LayerOutput layer : capture.layers()) {
      histogram(events, capture, TensorName.activation(layer), step);
      histogram(events, capture, TensorName.gradient(0, layer), step);
    }
  }

  private static void image(EventFile events, String tag, long step, Instant time, Picture picture)
      throws IOException {
    events.image(tag, step, time, picture.width(), picture.height(), picture.png());
  }

  private static void histogram(EventFile events, Capture capture, TensorName name, long step)
      throws IOException {
    Tensor tensor = capture.tensor(name).orElse(null);
    if (tensor != null) {
      events.histogram(capture.model() + "/" + name, step, capture.time(), tensor.toFloats());
    }
  }

  /** A table in Markdown. */
  private static String predictions(Explanation sample) {
    StringBuilder text = new StringBuilder("`" + sample.name() + "`\n");
    for (Target target : sample.targets()) {
      if (target.index() >= 0) {
        text.append("\ntarget: ").append(name(target.index(), target.label())).append('\n');
      }
    }
    if (!sample.predictions().isEmpty()) {
      text.append("\n| class | probability |\n| --- | --- |\n");
      for (Prediction each : sample.predictions()) {
        text.append(
            String.format(
                Locale.ROOT,
                "| %s | %.4f |%n",
                name(each.index(), each.label()),
                each.probability()));
      }
    }
    return text.toString();
  }

  private static String name(int index, @Nullable String label) {
    return label == null ? Integer.toString(index) : label + " (" + index + ")";
  }
}
