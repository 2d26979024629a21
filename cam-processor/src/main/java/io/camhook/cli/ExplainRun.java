package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.CamMethods;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Requirement;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.BoxTarget;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.LayerConcepts;
import io.camhook.explain.Measurement;
import io.camhook.explain.Metric;
import io.camhook.explain.ModelInput;
import io.camhook.explain.Vocabulary;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.report.MetricsTable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Turns a model's results for an input into output files and report entries. */
final class ExplainRun {
  private final String model;
  private final List<String> methods;
  private final Labels named;
  private final ExplainSettings settings;
  private final Problems problems;
  private final SanityRun sanity;

  ExplainRun(
      Path model,
      List<String> methods,
      Labels labels,
      ExplainSettings settings,
      Problems problems) {
    this.settings = settings;
    this.model = String.valueOf(model.getFileName());
    this.methods = methods;
    this.named = labels;
    this.problems = problems;
    this.sanity = new SanityRun(model, settings, problems);
  }

  /** Checks what {@link #measure} has seen against models with random weights. */
  List<MetricsTable.Curve> sanity(List<String> layers) throws IOException {
    return sanity.run(layers);
  }

  Explanation explain(Explained explained) {
    ModelInput input = explained.input();
    Labels labels = labels(explained);
    Map<String, String> failed = new LinkedHashMap<>();
    List<Target> targets = targets(explained, labels);
    List<Explanation.Maps> maps = maps(explained, targets.size(), failed);
    if (methods.isEmpty() && explained.activations().isEmpty()) {
      problems.add("layers", input.name() + ": " + Explained.NO_LAYER);
    }
    failed.forEach((method, why) -> problems.add(method, input.name() + ": " + why));
    return new Explanation(
        input.name(),
        model,
        Instant.now(),
        input.picture(),
        explained.logits().orElse(null),
        Explainer.predictions(explained, labels),
        targets,
        maps,
        layers(explained, Math.max(1, targets.size())),
        failed,
        metadata(explained, labels),
        Explanation.Fed.of(
            FedInput.row(input.tensors().get(0), 0), explained.logits().orElse(null)));
  }

  /** The concepts of the last layer, if they are wanted and there is one. */
  @Nullable LayerConcepts concepts(Explained explained) {
    int count = settings.wanted().concepts();
    if (count == 0) {
      return null;
    }
    try {
      return explained.concepts(count, settings.options(explained));
    } catch (CamException e) {
      problems.add("concepts", explained.input().name() + ": concepts: " + e.getMessage());
      return null;
    }
  }

  /** The names of the classes; those of a model that scores every word are the words. */
  Labels labels(Explained explained) {
    Vocabulary vocabulary = settings.vocabulary();
    if (vocabulary == null || !named.names().isEmpty()) {
      return named;
    }
    Labels words = vocabulary.labels();
    Tensor output = explained.logits().orElse(null);
    boolean scoresWords =
        output != null
            && output.rank() > 1
            && output.size(explained.classAxis()) == words.names().size();
    return scoresWords ? words : named;
  }

  private List<Target> targets(Explained explained, Labels labels) {
    List<Target> targets = new ArrayList<>();
    for (int n = 0; n < explained.targets().size(); n++) {
      int index = explained.classIndex(n);
      String name =
          index < 0 ? named(explained.targets().get(n), labels) : labels.name(index).orElse(null);
      targets.add(new Target(0, n, index, name, explained.score(n)));
    }
    return targets.isEmpty() ? List.of(new Target(0, 0, -1, "no target", Double.NaN)) : targets;
  }

  private static String named(ScoreTarget target, Labels labels) {
    Optional<String> label =
        target instanceof BoxTarget box ? labels.name(box.index()) : Optional.empty();
    return label.map(name -> target.name() + " '" + name + "'").orElseGet(target::name);
  }

  private List<Explanation.Maps> maps(
      Explained explained, int targets, Map<String, String> failed) {
    List<Explanation.Maps> maps = new ArrayList<>();
    for (String method : methods) {
      int each = dependsOnTarget(method) ? targets : 1;
      for (int n = 0; n < each; n++) {
        try {
          for (CamResult map : settings.maps(explained, method, n)) {
            maps.add(new Explanation.Maps(n, map));
          }
        } catch (CamException e) {
          failed.putIfAbsent(method, named(method, String.valueOf(e.getMessage())));
        } catch (CancellationException e) {
          throw e;
        } catch (RuntimeException e) { // whatever it is, the other methods' maps stay
          failed.putIfAbsent(
              method,
              "%s failed for layers %s: %s; the other methods are not affected"
                  .formatted(method, explained.activations().keySet(), e));
        }
      }
      settings.progress().step();
    }
    return maps;
  }

  /** A failure names its method. */
  private static String named(String method, String message) {
    return message.contains(method) ? message : method + ": " + message;
  }

  /**
   * Measures every method on this input, and randomcam, which any method should beat.
   *
   * @param numbers takes what was measured, by metric and method
   */
  void measure(
      Explained explained,
      Explanation explanation,
      Set<Metric> metrics,
      boolean @Nullable [] mask,
      MetricsSummary summary,
      Map<String, String> numbers) {
    RunOptions options = settings.options(explained);
    Measurement measurement =
        new Measurement(explained, metrics, options, settings.pipeline(), mask);
    Map<String, CamResult> results = new LinkedHashMap<>();
    for (Explanation.Maps maps : explanation.maps()) {
      if (maps.n() == 0 && maps.result().call() == 0) {
        results.put(maps.result().method(), maps.result());
      }
    }
    try {
      CamResult random = settings.map(explained, Measurement.BASELINE, 0);
      results.remove(Measurement.BASELINE);
      results.put(Measurement.BASELINE, random);
      measurement.withBaseline(random.heatmap());
      for (Map.Entry<String, CamResult> each : results.entrySet()) {
        Map<String, Double> values = measurement.of(each.getValue());
        summary.add(each.getKey(), values);
        values.forEach(
            (metric, value) ->
                numbers.put(
                    metric + " of " + each.getKey(), String.format(Locale.ROOT, "%.6g", value)));
        measurement.courses(each.getKey()).ifPresent(course -> summary.add(each.getKey(), course));
      }
      measurement
          .problems()
          .forEach(
              (metric, why) ->
                  problems.add(metric, explained.input().name() + ": metrics: " + why));
      if (metrics.contains(Metric.SANITY)) {
        Map<String, FloatMap> heatmaps = new LinkedHashMap<>();
        results.forEach((method, result) -> heatmaps.put(method, result.heatmap()));
        sanity.remember(explained, heatmaps);
      }
    } catch (CamException e) {
      problems.add("metrics", explained.input().name() + ": metrics: " + e.getMessage());
    }
  }

  /** Further data that the report draws: words of a text, boxes of a detector. */
  private Map<String, String> metadata(Explained explained, Labels labels) {
    Map<String, String> metadata = new LinkedHashMap<>(words(explained));
    if (explained.input().picture() != null) {
      String boxes = BoxList.of(explained, labels).metadata();
      if (!boxes.isEmpty()) {
        metadata.put(FedInput.BOXES, boxes);
      }
    }
    return metadata;
  }

  /** The words of a text as metadata. */
  private Map<String, String> words(Explained explained) {
    List<String> known = explained.input().tokens();
    Tensor ids = explained.tokenIds().orElse(null);
    Vocabulary vocabulary = settings.vocabulary();
    if (ids == null) {
      return Map.of();
    }
    if (known.isEmpty() && vocabulary != null) {
      known = vocabulary.tokens(ids);
    }
    return known.isEmpty() ? Map.of() : Map.of(FedInput.TOKENS, WordMap.metadata(known));
  }

  private static boolean dependsOnTarget(String method) {
    return CamMethods.find(method)
        .map(pure -> pure.needs().stream().anyMatch(need -> need != Requirement.ACTIVATION))
        .orElse(true);
  }

  private static List<Explanation.Layer> layers(Explained explained, int targets) {
    List<Explanation.Layer> shown = new ArrayList<>();
    for (int i = 0; i < explained.activations().size(); i++) {
      LayerSample seen = null;
      List<float[]> gradients = new ArrayList<>();
      for (int n = 0; n < targets; n++) {
        LayerSample sample = sample(explained.layers(n).get(i), explained);
        if (sample != null) {
          seen = seen == null ? sample : seen;
          if (sample.gradient() != null) {
            gradients.add(sample.gradient());
          }
        }
      }
      if (seen != null) {
        shown.add(new Explanation.Layer(seen.path(), seen.spatial(), seen.activation(), gradients));
      }
    }
    return shown;
  }

  private static @Nullable LayerSample sample(LayerTensors layer, Explained explained) {
    try {
      return explained.sample(layer);
    } catch (CamException e) { // no spatial extent
      return null;
    }
  }

  /** {@code activation/LAYER}, {@code gradient/LAYER}, {@code gradient@1/LAYER} … */
  static Map<String, Tensor> recorded(Explained explained) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    explained.activations().forEach((layer, tensor) -> tensors.put("activation/" + layer, tensor));
    for (int n = 0; n < explained.targets().size(); n++) {
      String prefix = n == 0 ? "gradient/" : "gradient@" + n + "/";
      for (Map.Entry<LayerOutput, Tensor> each : explained.gradients(n).entrySet()) {
        tensors.put(prefix + each.getKey(), each.getValue());
      }
    }
    return tensors;
  }
}
