package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.metrics.MapSimilarity;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.ModelInput;
import io.camhook.explain.TargetSelection;
import io.camhook.explain.WeightCascade;
import io.camhook.report.MetricsTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * The sanity check over all inputs. Each model of the cascade is loaded only once, after the
 * heatmaps of the trained model have been computed; inputs and heatmaps stay in memory until then.
 */
final class SanityRun {
  private static final long SEED = 1;

  private final Path model;
  private final ExplainSettings settings;
  private final Problems problems;
  private final List<Remembered> inputs = new ArrayList<>();

  /** The trained model's heatmaps. */
  private record Remembered(
      ModelInput input, TargetSelection target, Map<String, FloatMap> heatmaps) {}

  SanityRun(Path model, ExplainSettings settings, Problems problems) {
    this.model = model;
    this.settings = settings;
    this.problems = problems;
  }

  /** Takes the heatmaps of the trained model; the first target is checked. */
  void remember(Explained explained, Map<String, FloatMap> heatmaps) {
    inputs.add(
        new Remembered(
            explained.input(), TargetSelection.of(explained.targets().get(0)), heatmaps));
  }

  /**
   * Runs the check.
   *
   * @param layers the layers that are explained
   * @return one curve per method: the mean similarity (Spearman) over the inputs, layer by layer
   */
  List<MetricsTable.Curve> run(List<String> layers) throws IOException {
    Map<String, Map<String, Moments>> curves = new LinkedHashMap<>();
    WeightCascade cascade = WeightCascade.of(model);
    int done = 0;
    for (String layer : cascade.layers()) {
      if (settings.interruption().requested()) {
        break;
      }
      settings.progress().note("sanity %s %d/%d".formatted(layer, ++done, cascade.layers().size()));
      try (WeightCascade.Step step = cascade.open(layer, layers, SEED)) {
        step.explainer().withLayout(settings.wanted().layout());
        for (Remembered each : inputs) {
          compare(step.explainer().run(each.input(), each.target()), layer, each, curves);
        }
      } catch (ExplainException e) {
        problems.add("sanity", "sanity check at " + layer + ": " + e.getMessage());
      } catch (CancellationException e) {
        break;
      }
    }
    List<MetricsTable.Curve> found = new ArrayList<>();
    curves.forEach(
        (method, means) -> {
          List<MetricsTable.Point> points = new ArrayList<>();
          means.forEach((layer, mean) -> points.add(mean.point(layer)));
          found.add(new MetricsTable.Curve("sanity", method, points));
        });
    return found;
  }

  private void compare(
      Explained random,
      String layer,
      Remembered trained,
      Map<String, Map<String, Moments>> curves) {
    for (Map.Entry<String, FloatMap> entry : trained.heatmaps().entrySet()) {
      String method = entry.getKey();
      try {
        FloatMap heatmap = settings.map(random, method, 0).heatmap();
        curves
            .computeIfAbsent(method, id -> new LinkedHashMap<>())
            .computeIfAbsent(layer, path -> new Moments())
            .add(MapSimilarity.rankCorrelation(entry.getValue(), heatmap));
      } catch (CamException e) {
        problems.add("sanity " + method, "sanity check of " + method + ": " + e.getMessage());
      }
    }
  }
}
