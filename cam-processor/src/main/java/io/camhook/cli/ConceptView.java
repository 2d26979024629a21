package io.camhook.cli;

import io.camhook.cam.FeatureFactorization;
import io.camhook.cam.FloatMap;
import io.camhook.cam.targets.Labels;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.LayerConcepts;
import io.camhook.render.ConceptOverlay;
import io.camhook.render.Picture;
import io.camhook.report.ReportCapture;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Concepts of a layer as a picture and for the report. */
final class ConceptView {
  private static final int ANSWERS = 2;

  private ConceptView() {}

  /** Each concept in its colour over the picture; null if there is no picture. */
  static ReportCapture.@Nullable Concepts of(
      LayerConcepts found, Explained explained, Labels labels) {
    Picture picture = explained.input().picture();
    FeatureFactorization concepts = found.factorization();
    int count = concepts.concepts().size();
    if (picture == null
        || found.heatmaps().get(0).values().length != picture.width() * picture.height()) {
      return null;
    }
    Picture overlay =
        ConceptOverlay.of(picture, found.heatmaps().stream().map(FloatMap::values).toList());
    boolean classes = explained.logits().filter(logits -> logits.rank() <= 2).isPresent();
    List<ReportCapture.Concept> shown = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      List<String> says =
          classes && !found.outputs().isEmpty() ? says(found.outputs().get(k), labels) : List.of();
      shown.add(
          new ReportCapture.Concept(
              ConceptOverlay.colour(k, count), concepts.concepts().get(k).share(), says));
    }
    return new ReportCapture.Concepts(concepts.path(), overlay, shown, concepts.unexplained());
  }

  private static List<String> says(float[] logits, Labels labels) {
    return Explainer.predictions(logits, labels).stream()
        .limit(ANSWERS)
        .map(
            p ->
                String.format(
                    Locale.ROOT,
                    "%s %.1f %%",
                    p.label() == null ? "class " + p.index() : p.label(),
                    100 * p.probability()))
        .toList();
  }
}
