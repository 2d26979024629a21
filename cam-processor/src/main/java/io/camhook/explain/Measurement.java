package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.metrics.Completeness;
import io.camhook.cam.metrics.Complexity;
import io.camhook.cam.metrics.Confidence;
import io.camhook.cam.metrics.DeletionInsertion;
import io.camhook.cam.metrics.Localization;
import io.camhook.cam.metrics.MaxSensitivity;
import io.camhook.cam.metrics.Road;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
  private final Map<String, String> problems = new LinkedHashMap<>();
  private final Map<String, DeletionInsertion> courses = new HashMap<>();
  private @Nullable Confidence baseline;
  private @Nullable Double zeroScore;

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

  /** Sets the baseline heatmap for the win rate. */
  public Measurement withBaseline(FloatMap heatmap) {
    ModelRun run = explained.modelRun(target(), options);
    if (metrics.contains(Metric.CONFIDENCE) && !run.model().takesIntegers()) {
      baseline = Confidence.of(run, heatmap);
    }
    return this;
  }

  /**
   * Column id to value. Scores are probabilities (softmax) if the target is a class of a
   * classifier, except for completeness, which uses the explained score. A metric that cannot be
   * measured is left out, see {@link #problems}.
   */
  public Map<String, Double> of(CamResult result) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (Metric metric : metrics) {
      try {
        measure(metric, result, values);
      } catch (CamException e) {
        problems.putIfAbsent(metric.id(), String.valueOf(e.getMessage()));
      }
    }
    return values;
  }

  /** Why a metric, by its id, could not be measured. */
  public Map<String, String> problems() {
    return Map.copyOf(problems);
  }

  /** The curves of deletion and insertion of a method, if they were measured. */
  public Optional<DeletionInsertion> courses(String method) {
    return Optional.ofNullable(courses.get(method));
  }

  private void measure(Metric metric, CamResult result, Map<String, Double> values) {
    String method = result.method();
    FloatMap heatmap = result.heatmap();
    ModelRun run = explained.modelRun(target(), options);
    switch (metric) {
      case ROAD -> {
        Road road = Road.of(requireNumbers("road", run), heatmap);
        values.put("road", road.combined());
        values.put("road-morf", road.meanMorf());
        values.put("road-lerf", road.meanLerf());
      }
      case CONFIDENCE -> {
        Confidence confidence = Confidence.of(requireNumbers("confidence", run), heatmap);
        values.put("confidence-drop", confidence.drop());
        values.put("confidence-increase", confidence.increased() ? 1.0 : 0.0);
        values.put("average-drop", confidence.relativeDrop());
        if (baseline != null && !method.equals(BASELINE)) {
          values.put("win-rate", confidence.wins(baseline) ? 1.0 : 0.0);
        }
      }
      case DELETION -> values.put("deletion", course(run, method, heatmap).deletionAuc());
      case INSERTION -> values.put("insertion", course(run, method, heatmap).insertionAuc());
      case SENSITIVITY ->
          values.put(
              "sensitivity",
              MaxSensitivity.of(
                  requireNumbers("sensitivity", run).input(),
                  input -> explained.again(input).map(method, 0, options, pipeline).heatmap(),
                  options.seed()));
      case COMPLEXITY -> {
        Complexity complexity = Complexity.of(heatmap);
        values.put("sparseness", complexity.sparseness());
        values.put("complexity", complexity.entropy());
      }
      case COMPLETENESS -> completeness(result, values);
      case LOCALIZATION -> localization(heatmap, values);
      case SANITY -> {} // measured across models, not here
    }
  }

  private DeletionInsertion course(ModelRun run, String method, FloatMap heatmap) {
    DeletionInsertion known = courses.get(method);
    if (known == null) {
      known = DeletionInsertion.of(run, heatmap);
      courses.put(method, known);
    }
    return known;
  }

  private static ModelRun requireNumbers(String metric, ModelRun run) {
    if (run.model().takesIntegers()) {
      throw new CamException(
          metric
              + " changes numbers, and the input holds token ids; use deletion,"
              + " insertion, complexity or completeness");
    }
    return run;
  }

  /** For methods whose map holds attributions; a mean over layers does not add up to the score. */
  private void completeness(CamResult result, Map<String, Double> values) {
    if (result.raw().size() != 1) {
      return;
    }
    ModelRun run = explained.modelRun(explained.targets().get(0), options);
    if (zeroScore == null) {
      zeroScore = run.scoreOfZero();
    }
    FloatMap raw = result.raw().values().iterator().next();
    values.put("completeness", Completeness.of(raw, run.score(), zeroScore));
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
