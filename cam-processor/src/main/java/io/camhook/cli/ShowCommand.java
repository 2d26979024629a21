package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Prediction;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.render.ColourTable;
import io.camhook.render.Picture;
import io.camhook.render.TerminalPicture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook show}: one capture in the terminal. */
@Command(
    name = "show",
    description = "Shows a capture in the terminal: its metadata, tensors and heatmaps.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class ShowCommand implements Callable<Integer> {
  /** When pictures are coloured. */
  enum Colour {
    AUTO,
    ALWAYS,
    NEVER
  }

  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "RECORDING|FILE.safetensors",
      description = "A recording, or a file of camhook process, explain or export.")
  private @SuppressWarnings("NullAway.Init") Path input;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "CAPTURE",
      description = "Id of a capture, or a prefix of it (default: the newest).")
  private @Nullable String id;

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = "--width",
      paramLabel = "COLUMNS",
      defaultValue = "56",
      description = "Width of a picture (default: ${DEFAULT-VALUE}).")
  private int width = 56;

  @Option(
      names = "--colour",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description = "Use colours: auto, always or never; without colours, shades of characters.")
  private Colour colour = Colour.AUTO;

  ShowCommand() {}

  @Override
  public Integer call() throws IOException {
    if (width < 2) {
      throw new ParameterException(spec.commandLine(), "--width wants at least 2, found " + width);
    }
    CaptureExplainer explainer = explain.explainer(spec);
    if (Files.isDirectory(input)) {
      try (RecordingReader reader = RecordingReader.open(input)) {
        Capture capture = find(reader);
        reader.manifest().model(capture.model()).ifPresent(this::print);
        show(explainer.of(reader.manifest()), capture);
      }
      return 0;
    }
    Safetensors blob = Safetensors.read(input);
    if (blob.metadata().containsKey("camhook.capture")) {
      show(explainer, Capture.read(ByteBuffer.wrap(Files.readAllBytes(input))));
    } else {
      print(ExplanationFile.read(input), blob.tensors());
    }
    return 0;
  }

  private Capture find(RecordingReader reader) throws IOException {
    List<String> ids = reader.ids();
    String wanted = id == null ? "" : id;
    String found =
        id == null
            ? ids.isEmpty() ? null : ids.get(ids.size() - 1)
            : ids.stream().filter(each -> each.startsWith(wanted)).findFirst().orElse(null);
    Capture capture = found == null ? null : reader.find(found);
    if (capture == null) {
      throw new CommandFailure(
          ids.isEmpty()
              ? input + ": the recording holds no capture"
              : "%s: no capture of id %s; there are %d, from %s to %s"
                  .formatted(input, id, ids.size(), ids.get(0), ids.get(ids.size() - 1)));
    }
    return capture;
  }

  private void show(CaptureExplainer explainer, Capture capture) {
    List<Explanation> samples;
    try {
      samples = explainer.explain(capture);
    } catch (CamException e) {
      throw new CommandFailure(capture.id() + ": " + e.getMessage());
    }
    for (Explanation sample : samples) {
      print(sample, capture.tensors());
    }
  }

  private void print(Explanation sample, Map<String, Tensor> tensors) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s  %s  %s%n", sample.name(), sample.model(), sample.time());
    for (Prediction each : sample.predictions()) {
      out.printf(
          Locale.ROOT,
          "  %6.2f %%  %s%n",
          100 * each.probability(),
          name(each.index(), each.label()));
    }
    for (Target target : sample.targets()) {
      if (target.index() >= 0) {
        out.printf(
            Locale.ROOT,
            "  target %d: %s, score %.4f%n",
            target.n(),
            name(target.index(), target.label()),
            target.score());
      }
    }
    tensors.forEach(
        (name, tensor) ->
            out.printf("  %-32s %s %s%n", name, tensor.dtype(), Arrays.toString(tensor.shape())));
    for (Explanation.Maps maps : sample.maps()) {
      out.printf("%s%s%n", maps.result().name(), maps.suffix());
      out.print(picture(maps.result().heatmap(), sample));
    }
    sample.problems().forEach((method, why) -> out.printf("%s: %s%n", method, why));
    out.flush();
  }

  private void print(ModelInfo model) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "model %s: %s, %s%n",
        model.name(),
        Objects.requireNonNullElse(model.engine(), "engine unknown"),
        Objects.requireNonNullElse(model.hashInWords(), "no hash"));
    model.notes().forEach(note -> out.printf("  %s%n", note));
    out.flush();
  }

  private String picture(FloatMap heatmap, Explanation sample) {
    int[] shape = heatmap.shape();
    if (heatmap.rank() != 2) {
      shape = new int[] {1, heatmap.values().length};
    }
    if (!inColours()) {
      return TerminalPicture.shades(heatmap.values(), shape, width);
    }
    Picture overlay = MapPicture.of(heatmap, sample.picture(), sample.fed().input());
    return TerminalPicture.coloured(
        overlay == null || heatmap.rank() != 2
            ? ColourTable.JET.paint(heatmap.values(), shape[1], shape[0])
            : overlay,
        width);
  }

  private boolean inColours() {
    return colour == Colour.ALWAYS
        || (colour == Colour.AUTO && System.console() != null && System.getenv("NO_COLOR") == null);
  }

  private static String name(int index, @Nullable String label) {
    return label == null ? "class " + index : label + " (" + index + ")";
  }
}
