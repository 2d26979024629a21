package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.metrics.Confidence;
import io.camhook.cam.metrics.DeletionInsertion;
import io.camhook.cam.metrics.Localization;
import io.camhook.cam.metrics.MaxSensitivity;
import io.camhook.cam.metrics.Road;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Measures heatmaps of the first target of one input. Not thread-safe. */
public final class Measurement {
  /** Explains nothing, so that every method should do better. */
  public static final String BASELINE = "randomcam";

  private final Explained explained;
  private final Set<Metric> metrics;
  private final RunOptions options;
  private final Heatmaps pipeline;
  private final boolean @Nullable [] mask;
  private @Nullable Confidence baseline;

  /**
   * @param mask true inside the object, of the heatmap's size; null if there is none
   */
  public Measurement(
      Explained explained,
      Set<Metric> metrics,
      RunOptions options,
      Heatmaps pipeline,
      boolean @Nullable [] mask) {
    this.explained = explained;
    this.metrics = metrics;
    this.options = options;
    this.pipeline = pipeline;
    this.mask = mask == null ? null : mask.clone();
  }

  /** Takes the heatmap that others are to beat, for the win rate. */
  public Measurement withBaseline(FloatMap heatmap) {
    if (metrics.contains(Metric.CONFIDENCE)) {
      baseline = Confidence.of(explained.modelRun(target(), options), heatmap);
    }
    return this;
  }

  /**
   * Column id to value. Scores are probabilities (softmax) where the target is a class of a
   * classifier.
   *
   * @throws CamException if the heatmap is not of the input's size, or a mask is wanted and missing
   */
  public Map<String, Double> of(String method, FloatMap heatmap) {
    Map<String, Double> values = new LinkedHashMap<>();
    ModelRun run = explained.modelRun(target(), options);
    if (metrics.contains(Metric.ROAD)) {
      Road road = Road.of(run, heatmap);
      values.put("road", road.combined());
      values.put("road-morf", road.meanMorf());
      values.put("road-lerf", road.meanLerf());
    }
    if (metrics.contains(Metric.CONFIDENCE)) {
      Confidence confidence = Confidence.of(run, heatmap);
      values.put("confidence-drop", confidence.drop());
      values.put("confidence-increase", confidence.increased() ? 1.0 : 0.0);
      values.put("average-drop", confidence.relativeDrop());
      if (baseline != null && !method.equals(BASELINE)) {
        values.put("win-rate", confidence.wins(baseline) ? 1.0 : 0.0);
      }
    }
    if (metrics.contains(Metric.DELETION) || metrics.contains(Metric.INSERTION)) {
      DeletionInsertion areas = DeletionInsertion.of(run, heatmap);
      if (metrics.contains(Metric.DELETION)) {
        values.put("deletion", areas.deletionAuc());
      }
      if (metrics.contains(Metric.INSERTION)) {
        values.put("insertion", areas.insertionAuc());
      }
    }
    if (metrics.contains(Metric.SENSITIVITY)) {
      values.put(
          "sensitivity",
          MaxSensitivity.of(
              run.input(),
              input -> explained.again(input).map(method, 0, options, pipeline).heatmap(),
              options.seed()));
    }
    if (metrics.contains(Metric.LOCALIZATION)) {
      localization(heatmap, values);
    }
    return values;
  }

  private void localization(FloatMap heatmap, Map<String, Double> values) {
    if (mask == null) {
      throw new CamException(
          "localization compares with a mask of the object; give one with --mask");
    }
    Localization found = Localization.of(heatmap, mask);
    values.put("pointing", found.hit() ? 1.0 : 0.0);
    values.put("iou", found.iou());
    values.put("energy", found.energy());
  }

  private ScoreTarget target() {
    if (explained.targets().isEmpty()) {
      throw new CamException("metrics need a target; use -t top1, class:N or label:S");
    }
    int index = explained.classIndex(0);
    boolean positions = explained.logits().filter(output -> output.rank() > 2).isPresent();
    return index < 0 || positions ? explained.targets().get(0) : Targets.softmax(index);
  }
}
