package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.render.ColourTable;
import io.camhook.report.MetricsTable;
import io.camhook.report.ReportInfo;
import io.camhook.report.ReportLimits;
import io.camhook.report.ReportSource;
import io.camhook.report.ReportWriter;
import io.camhook.report.StatsLines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook report}: one HTML file to look at. */
@Command(
    name = "report",
    description = {
      "Writes one HTML file for recordings: pictures, predictions, heatmaps, channel maps,",
      "and each layer's statistics over the steps that a stats hook saw.",
      "It contains its data, opens from disk and makes no network requests."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class ReportCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      paramLabel = "RECORDING|DIR",
      arity = "1..*",
      description = "Recordings, or output directories of camhook process.")
  private List<Path> inputs = new ArrayList<>();

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "Output file, or directory with --static (default: report.html; with --static: report).")
  private @Nullable Path output;

  @Option(
      names = "--truth",
      paramLabel = "FILE",
      description = "pictures.json with masks of the objects in the pictures.")
  private @Nullable Path truth;

  @Option(
      names = "--metrics",
      paramLabel = "FILE",
      description = "Table of methods and metrics to show (JSON).")
  private @Nullable Path metrics;

  @Option(
      names = "--channels",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "How many of a layer's strongest channel maps to keep; 0: none (default:"
              + " ${DEFAULT-VALUE}).")
  private int channels = 64;

  @Option(
      names = "--compare",
      description =
          "For two recordings of the same inputs, for example before and after a change of the"
              + " model: pairs their captures, shows the differences of their maps, and lists"
              + " changed answers first.")
  private boolean compare;

  @Option(
      names = "--picture-side",
      paramLabel = "PIXELS",
      defaultValue = "512",
      description =
          "Longest side of a picture in the report; larger ones are shrunk (default:"
              + " ${DEFAULT-VALUE}).")
  private int pictureSide = 512;

  @Option(
      names = "--static",
      description =
          "Writes pictures and text instead of a page: index.md and sheets of overlays as PNG, into"
              + " the directory -o (default: report), for a wiki or build artifacts.")
  private boolean pictures;

  private final Problems problems = new Problems();
  private int maps;

  ReportCommand() {}

  @Override
  public Integer call() throws IOException {
    CaptureExplainer explainer = explain.explainer(spec);
    if (compare && inputs.size() != 2) {
      throw new ParameterException(
          spec.commandLine(),
          "--compare wants two recordings, found %d: camhook report BEFORE AFTER --compare"
              .formatted(inputs.size()));
    }
    List<Source> sources = new ArrayList<>();
    int captures = 0;
    for (Path input : inputs) {
      Source source = Source.of(input);
      sources.add(source);
      captures += source.size();
    }
    if (pictures) {
      return writePictures(explainer, sources, captures);
    }
    Path file = output == null ? Path.of("report.html") : output;
    CaptureReport shown = new CaptureReport(GroundTruth.read(truth));
    MetricsTable table = table(metrics);
    ReportLimits limits =
        new ReportLimits(pictureSide, channels, ReportLimits.DEFAULT.channelSide());
    int size;
    boolean nothing;
    try (ReportWriter report = new ReportWriter(file, info(inputs), limits);
        Progress progress = new Progress("report", " captures", captures)) {
      List<List<String>> torn = new ArrayList<>();
      for (Source source : sources) {
        torn.add(new ArrayList<>(StatsLines.read(source.directory(), report.statistics())));
      }
      boolean steps = !report.statistics().isEmpty();
      List<ReportSource> described = new ArrayList<>();
      for (Source source : sources) {
        int number = described.size();
        int before = report.size();
        List<String> damage = torn.get(number);
        damage.addAll(
            source.read(
                explainer,
                explanation ->
                    new Shown(explanation, report.prepare(shown.of(explanation).of(number))),
                each -> add(report, each),
                progress));
        damage.forEach(what -> problems.add("damage", what));
        described.add(source.described(report.size() - before, damage));
      }
      report.sources(described);
      if (compare) {
        report.compare();
      }
      if (table != null) {
        report.metrics(table);
      }
      report.finish();
      size = report.size();
      nothing = size == 0 && !steps;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s: %d captures, %d maps, %s%n", file, size, maps, Units.bytes(Files.size(file)));
    out.flush();
    return finished(nothing);
  }

  private int finished(boolean nothing) {
    if (nothing && problems.isEmpty()) {
      throw new CommandFailure(
          inputs.get(0) + ": the recording holds no capture; was the model called, and sampled?");
    }
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private int writePictures(CaptureExplainer explainer, List<Source> sources, int captures)
      throws IOException {
    Path directory = output == null ? Path.of("report") : output;
    CaptureReport shown = new CaptureReport(GroundTruth.read(truth));
    StaticReport report = new StaticReport(directory);
    List<ReportSource> described = new ArrayList<>();
    int size = 0;
    try (Progress progress = new Progress("report", " captures", captures)) {
      for (Source source : sources) {
        int[] read = new int[1];
        List<String> damage =
            source.read(
                explainer,
                explanation -> {
                  read[0]++;
                  maps += explanation.maps().size();
                  report.add(explanation, shown.of(explanation).truth());
                },
                progress);
        damage.forEach(what -> problems.add("damage", what));
        described.add(source.described(read[0], damage));
        size += read[0];
      }
      report.finish(described);
    }
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s: %d captures, %d maps%n", directory.resolve("index.md"), size, maps);
    out.flush();
    return finished(size == 0);
  }

  /** An explanation, and its part of the report. */
  private record Shown(Explanation explanation, ReportWriter.Prepared part) {}

  private void add(ReportWriter report, Shown shown) throws IOException {
    Explanation explanation = shown.explanation();
    report.add(shown.part());
    CaptureReport.count(explanation, report.statistics(), report.size() - 1);
    maps += explanation.maps().size();
    if (explain.namesMethods()) {
      explanation
          .problems()
          .forEach((method, why) -> problems.add(method, explanation.name() + ": " + why));
    }
  }

  static ReportInfo info(List<Path> inputs) {
    Map<String, byte[]> colormaps = new LinkedHashMap<>();
    for (ColourTable table :
        List.of(
            ColourTable.INFERNO,
            ColourTable.VIRIDIS,
            ColourTable.TURBO,
            ColourTable.JET,
            ColourTable.HOT)) {
      colormaps.put(table.name().toLowerCase(Locale.ROOT), table.triplets());
    }
    byte[] grey = new byte[3 * 256];
    for (int i = 0; i < grey.length; i++) {
      grey[i] = (byte) (i / 3);
    }
    colormaps.put("grey", grey);
    return new ReportInfo(
        "",
        inputs.stream().map(Path::toString).toList(),
        Instant.now(),
        ManifestVersion.text(),
        MethodChoice.names(),
        colormaps);
  }

  private static @Nullable MetricsTable table(@Nullable Path file) throws IOException {
    if (file == null) {
      return null;
    }
    try {
      return new ObjectMapper().readValue(Files.readAllBytes(file), MetricsTable.class);
    } catch (JsonProcessingException e) {
      throw new CommandFailure(file + ": not a table of metrics: " + e.getOriginalMessage());
    }
  }
}
