package io.camhook.cli;

import io.camhook.cam.FloatMap;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.report.LayerStatistics;
import io.camhook.report.ReportCapture;
import io.camhook.report.ReportCapture.CamMap;
import io.camhook.report.ReportCapture.Channels;
import io.camhook.report.ReportCapture.Mask;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An explanation as the report shows it. */
final class CaptureReport {
  private final GroundTruth truth;

  CaptureReport(GroundTruth truth) {
    this.truth = truth;
  }

  ReportCapture of(Explanation explanation) throws IOException {
    GroundTruth.Entry known = truth.of(explanation.picture()).orElse(null);
    Map<String, String> metadata = new LinkedHashMap<>(explanation.extra());
    explanation.problems().forEach((method, why) -> metadata.put("no " + method, why));
    List<Mask> masks = new ArrayList<>();
    if (known != null) {
      metadata.put(
          "shows", String.join(", ", known.objects().stream().map(o -> o.label()).toList()));
      for (GroundTruth.TruthObject object : known.objects()) {
        GroundTruth.Mask mask = truth.mask(object);
        masks.add(new Mask(mask.label(), mask.width(), mask.height(), mask.inside()));
      }
    }
    metadata.keySet().removeAll(List.of(FedInput.TOKENS, FedInput.BOXES));
    ReportCapture capture =
        new ReportCapture(
            explanation.name(),
            known == null
                ? explanation.extra().getOrDefault("name", explanation.name())
                : known.file(),
            explanation.model(),
            explanation.time().toString(),
            explanation.picture(),
            explanation.predictions().stream().map(CaptureReport::prediction).toList(),
            explanation.targets().stream().map(CaptureReport::target).toList(),
            maps(explanation),
            explanation.layers().stream()
                .filter(layer -> layer.spatial().length > 0)
                .map(CaptureReport::channels)
                .toList(),
            masks,
            metadata);
    return capture.withInput(FedInput.of(explanation)).withTruth(right(explanation, known));
  }

  /** The right classes: those of the objects in the picture, otherwise metadata {@code truth}. */
  private static List<String> right(Explanation explanation, GroundTruth.@Nullable Entry known) {
    if (known != null) {
      return known.objects().stream().map(GroundTruth.TruthObject::label).distinct().toList();
    }
    String truth = explanation.extra().get("truth");
    return truth == null ? List.of() : List.of(truth);
  }

  /**
   * Adds the layers of an explanation to the statistics.
   *
   * @param number of the capture in the report
   */
  static void count(Explanation explanation, LayerStatistics statistics, int number) {
    for (Explanation.Layer layer : explanation.layers()) {
      int positions = positions(layer.spatial());
      int channels = layer.activation().length / positions;
      statistics.addCaptured(layer.path(), "activation", layer.activation(), channels, number);
      if (!layer.gradients().isEmpty()) {
        statistics.addCaptured(
            layer.path(), "gradient", layer.gradients().get(0), channels, number);
      }
    }
  }

  private static int positions(int[] spatial) {
    int positions = 1;
    for (int size : spatial) {
      positions *= Math.max(1, size);
    }
    return positions;
  }

  private static ReportCapture.Prediction prediction(Prediction prediction) {
    return new ReportCapture.Prediction(
        prediction.index(),
        label(prediction.index(), prediction.label()),
        (float) prediction.probability(),
        Float.NaN);
  }

  private static ReportCapture.Target target(Target target) {
    return new ReportCapture.Target(
        target.index(), label(target.index(), target.label()), (float) target.score());
  }

  private static String label(int index, @Nullable String label) {
    return label == null ? "class " + index : label;
  }

  private static List<CamMap> maps(Explanation explanation) {
    List<Integer> order = explanation.targets().stream().map(Target::n).toList();
    List<CamMap> maps = new ArrayList<>();
    for (Explanation.Maps each : explanation.maps()) {
      int target = Math.max(0, order.indexOf(each.n()));
      String method = each.result().name();
      each.result().raw().forEach((path, map) -> maps.add(map(target, method, path, map)));
      if (each.result().raw().isEmpty()) {
        maps.add(map(target, method, null, each.result().heatmap()));
      }
    }
    return maps;
  }

  private static CamMap map(int target, String method, @Nullable String path, FloatMap map) {
    return new CamMap(target, method, path, map.shape(), map.values());
  }

  /** A signal is one row high; the slices of a volume are placed one below the other. */
  private static Channels channels(Explanation.Layer layer) {
    int[] spatial = layer.spatial();
    int width = spatial[spatial.length - 1];
    int positions = positions(spatial);
    int count = layer.activation().length / positions;
    List<float[]> weights = new ArrayList<>();
    for (float[] gradient : layer.gradients()) {
      weights.add(means(gradient, count));
    }
    return new Channels(layer.path(), count, width, positions / width, layer.activation(), weights);
  }

  private static float[] means(float[] values, int count) {
    float[] means = new float[count];
    int positions = values.length / count;
    for (int c = 0; c < count; c++) {
      double sum = 0;
      for (int p = 0; p < positions; p++) {
        sum += values[c * positions + p];
      }
      means[c] = (float) (sum / positions);
    }
    return means;
  }
}
