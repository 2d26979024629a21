package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.render.ColourTable;
import io.camhook.report.MetricsTable;
import io.camhook.report.ReportInfo;
import io.camhook.report.ReportLimits;
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
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook report}: one HTML file to look at. */
@Command(
    name = "report",
    description = {
      "Makes one HTML file of recordings: pictures, predictions, heatmaps, channel maps,",
      "and the course of each layer over the steps that a stats hook saw.",
      "It holds its data, opens from disk and asks the network for nothing."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class ReportCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      paramLabel = "RECORDING|DIR",
      arity = "1..*",
      description = "Recordings, or directories that camhook process wrote.")
  private List<Path> inputs = new ArrayList<>();

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The report (default: ${DEFAULT-VALUE}).",
      defaultValue = "report.html")
  private Path output = Path.of("report.html");

  @Option(
      names = "--truth",
      paramLabel = "FILE",
      description = "pictures.json with masks of the objects in the pictures.")
  private @Nullable Path truth;

  @Option(
      names = "--metrics",
      paramLabel = "FILE",
      description = "JSON table of methods and metrics to show.")
  private @Nullable Path metrics;

  @Option(
      names = "--channels",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Channel maps kept of a layer, the strongest; 0: none (default: ${DEFAULT-VALUE}).")
  private int channels = 64;

  private final Problems problems = new Problems();
  private int maps;

  ReportCommand() {}

  @Override
  public Integer call() throws IOException {
    CaptureExplainer explainer = explain.explainer(spec);
    List<Source> sources = new ArrayList<>();
    int captures = 0;
    for (Path input : inputs) {
      Source source = Source.of(input);
      sources.add(source);
      captures += source.size();
    }
    CaptureReport shown = new CaptureReport(GroundTruth.read(truth));
    MetricsTable table = table(metrics);
    ReportLimits limits =
        new ReportLimits(
            ReportLimits.DEFAULT.pictureSide(), channels, ReportLimits.DEFAULT.channelSide());
    int size;
    boolean nothing;
    try (ReportWriter report = new ReportWriter(output, info(inputs), limits);
        Progress progress = new Progress("report", " captures", captures)) {
      for (Source source : sources) {
        StatsLines.read(source.directory(), report.statistics())
            .forEach(what -> problems.add("damage", what));
      }
      boolean steps = !report.statistics().isEmpty();
      for (Source source : sources) {
        List<String> damage =
            source.read(explainer, explanation -> add(report, shown, explanation), progress);
        damage.forEach(what -> problems.add("damage", what));
      }
      if (table != null) {
        report.metrics(table);
      }
      report.finish();
      size = report.size();
      nothing = size == 0 && !steps;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: %d captures, %d maps, %s%n", output, size, maps, Units.bytes(Files.size(output)));
    out.flush();
    if (nothing && problems.isEmpty()) {
      throw new CommandFailure(
          inputs.get(0) + ": the recording holds no capture; was the model called, and sampled?");
    }
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private void add(ReportWriter report, CaptureReport shown, Explanation explanation)
      throws IOException {
    report.add(shown.of(explanation));
    CaptureReport.count(explanation, report.statistics());
    maps += explanation.maps().size();
    if (explain.namesMethods()) {
      explanation
          .problems()
          .forEach((method, why) -> problems.add(method, explanation.name() + ": " + why));
    }
  }

  static ReportInfo info(List<Path> inputs) {
    Map<String, byte[]> colormaps = new LinkedHashMap<>();
    for (ColourTable table : ColourTable.values()) {
      colormaps.put(table.name().toLowerCase(Locale.ROOT), table.triplets());
    }
    return new ReportInfo(
        "",
        inputs.stream().map(Path::toString).toList(),
        Instant.now(),
        Version.text(),
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
