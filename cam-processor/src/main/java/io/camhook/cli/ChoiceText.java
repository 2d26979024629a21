package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.explain.Explained;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Describes the choices of {@code camhook explain} for an input: target, layer, layout, output,
 * axis.
 */
final class ChoiceText {
  private ChoiceText() {}

  /** One line about the input, and one about each layer. */
  static List<String> of(Explained explained, Explanation explanation) {
    List<String> lines = new ArrayList<>();
    lines.add(explanation.name() + ": " + targets(explanation) + output(explained));
    for (LayerTensors layer : explained.layers(0)) {
      lines.add("  layer " + layer.path() + ": " + layout(explained, layer));
    }
    return lines;
  }

  private static String targets(Explanation explanation) {
    return explanation.targets().stream()
        .filter(target -> !Double.isNaN(target.score()))
        .map(target -> target(target, explanation.predictions()))
        .collect(Collectors.joining(", "));
  }

  private static String target(Target target, List<Prediction> predictions) {
    String label = target.label();
    String name =
        target.index() < 0
            ? String.valueOf(label)
            : "class " + target.index() + (label == null ? "" : " '" + label + "'");
    String probability =
        predictions.stream()
            .filter(prediction -> prediction.index() == target.index())
            .map(
                prediction ->
                    String.format(Locale.ROOT, ", probability %.3f", prediction.probability()))
            .findFirst()
            .orElse("");
    return "target %s, score %s%s"
        .formatted(name, String.format(Locale.ROOT, "%.4g", target.score()), probability);
  }

  private static String output(Explained explained) {
    Tensor logits = explained.logits().orElse(null);
    if (logits == null) {
      return "no target, the layers alone";
    }
    return "; output %s %s, classes on axis %d"
        .formatted(explained.outputName(), Arrays.toString(logits.shape()), explained.classAxis());
  }

  private static String layout(Explained explained, LayerTensors layer) {
    try {
      Layout layout = explained.layout(LayerOutput.parse(layer.path()));
      LayerSample sample = explained.sample(layer);
      String grid =
          Arrays.stream(sample.spatial())
              .mapToObj(Integer::toString)
              .collect(Collectors.joining("x"));
      return "%s, %d channels, map of %s".formatted(layout, sample.channels(), grid);
    } catch (CamException e) {
      return "no map: " + e.getMessage();
    }
  }
}
