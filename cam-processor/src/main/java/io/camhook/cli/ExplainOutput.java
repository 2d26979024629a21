package io.camhook.cli;

import io.camhook.cam.FloatMap;
import io.camhook.cam.targets.Labels;
import io.camhook.explain.Explained;
import io.camhook.explain.LayerConcepts;
import io.camhook.explain.PictureFrame;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Run;
import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import io.camhook.report.MetricsTable;
import io.camhook.report.ReportCapture;
import io.camhook.report.ReportLimits;
import io.camhook.report.ReportSource;
import io.camhook.report.ReportWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The output directory of {@code camhook explain}. */
final class ExplainOutput implements AutoCloseable {
  private final Path directory;
  private final ReportWriter report;
  private final CaptureReport shown;
  private final String inputNames;
  private final Run begun = Run.begin(null, Map.of());
  private @Nullable MetricsTable metrics;
  private int inputs;
  private int maps;
  private int overlays;

  ExplainOutput(Path directory, List<Path> sources) throws IOException {
    this.directory = directory;
    this.shown = new CaptureReport(GroundTruth.read(null));
    this.inputNames =
        sources.get(0) + (sources.size() > 1 ? " and %d more".formatted(sources.size() - 1) : "");
    this.report =
        new ReportWriter(
            directory.resolve("report.html"), ReportCommand.info(sources), ReportLimits.DEFAULT);
  }

  /**
   * Writes the files of one input.
   *
   * @param concepts null if not requested
   * @return the report's entry for it
   */
  ReportCapture write(
      Explanation explanation, Explained explained, @Nullable LayerConcepts concepts, Labels labels)
      throws IOException {
    Map<String, Tensor> recorded = ExplainRun.recorded(explained);
    ReportCapture.Concepts view = null;
    if (concepts != null) {
      recorded.putAll(concepts.tensors());
      view = ConceptView.of(concepts, explained, labels);
      if (view != null) {
        view.overlay().writePng(directory.resolve(explanation.name() + ".concepts.png"));
        overlays++;
      }
    }
    ExplanationFile.write(directory, explanation, recorded);
    for (Explanation.Maps each : explanation.maps()) {
      maps++;
      PictureFrame frame = each.result().call() == 0 ? explained.input().frame() : null;
      FloatMap heatmap = each.result().heatmap();
      Picture overlay =
          frame == null
              ? MapPicture.of(explanation, each.result(), null)
              : MapPicture.over(heatmap, frame);
      if (overlay != null) {
        overlay.writePng(
            directory.resolve(
                "%s.%s%s.png".formatted(explanation.name(), each.result().name(), each.suffix())));
        overlays++;
      }
    }
    return shown.of(explanation).withConcepts(view);
  }

  /**
   * Shows an input in the report.
   *
   * @param measured its measurements, by metric and method: numbers to filter and sort by
   */
  void show(Explanation explanation, ReportCapture capture, Map<String, String> measured)
      throws IOException {
    report.add(capture.withMetadata(measured));
    CaptureReport.count(explanation, report.statistics(), report.size() - 1);
    inputs++;
  }

  /**
   * Writes the report, if there is anything to show.
   *
   * @param model the explained model
   */
  void finish(ModelInfo model) throws IOException {
    if (inputs == 0) {
      return;
    }
    Run run =
        new Run(
            begun.started(),
            Instant.now(),
            ManifestVersion.text(),
            begun.host(),
            begun.pid(),
            null,
            begun.versions(),
            null,
            Map.of());
    report.sources(
        List.of(
            new ReportSource(
                inputNames, inputs, List.of(model), List.of(run), List.of(), true, 0)));
    report.finish();
  }

  /** Takes the table for the report and its own files. */
  void metrics(MetricsTable table) throws IOException {
    metrics = table;
    report.metrics(table);
    MetricsSummary.write(directory, table);
  }

  @Nullable MetricsTable metrics() {
    return metrics;
  }

  int inputs() {
    return inputs;
  }

  int maps() {
    return maps;
  }

  int overlays() {
    return overlays;
  }

  @Override
  public void close() throws IOException {
    report.close();
  }
}
