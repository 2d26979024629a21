package io.camhook.explain;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The metrics of a heatmap, by the ids that users write. */
public enum Metric {
  /** Remove and debias. */
  ROAD(
      column("road", true, "", "score lost to the most relevant pixels rather than the least"),
      column("road-morf", false, "", "change of the score without the most relevant pixels"),
      column("road-lerf", true, "", "change of the score without the least relevant pixels")),
  /** The score of the input times its heatmap. */
  CONFIDENCE(
      column("confidence-drop", false, "", "score lost when only the heatmap is seen"),
      column("confidence-increase", true, "%", "inputs whose score grows then"),
      column("average-drop", false, "%", "score lost, relative"),
      column(
          "win-rate", true, "%", "inputs where the map keeps more of the score than randomcam's")),
  /** Deletion. */
  DELETION(column("deletion", false, "", "area under the score while pixels are deleted")),
  /** Insertion. */
  INSERTION(column("insertion", true, "", "area under the score while pixels are inserted")),
  /** Sensitivity to noise. */
  SENSITIVITY(column("sensitivity", false, "", "largest relative change under small noise")),
  /** The sanity check by cascading randomisation. */
  SANITY(
      column("sanity", false, "", "likeness of the maps to those of models with random weights")),
  /** How simple the map is. */
  COMPLEXITY(
      column("sparseness", true, "", "Gini index of the heatmap: 1 if few places have all"),
      column("complexity", false, "", "entropy of the heatmap's shares: 0 if one place has all")),
  /** The axiom that attributions add up. */
  COMPLETENESS(
      column(
          "completeness",
          false,
          "",
          "relative error of the raw map's sum to the score minus that of zeros")),
  /** Agreement with a mask; needs one. */
  LOCALIZATION(
      column("pointing", true, "%", "heatmaps whose maximum lies inside the mask"),
      column("iou", true, "", "overlap of the hotter half with the mask"),
      column("energy", true, "%", "share of the heatmap inside the mask"));

  /**
   * One number that a metric computes.
   *
   * @param id its name in tables
   * @param higherIsBetter whether a higher value is better
   * @param unit {@code %} for shares of one
   * @param description one clause
   */
  public record Column(String id, boolean higherIsBetter, String unit, String description) {}

  private final List<Column> columns;

  Metric(Column... columns) {
    this.columns = List.of(columns);
  }

  private static Column column(String id, boolean higher, String unit, String description) {
    return new Column(id, higher, unit, description);
  }

  /** The numbers that the metric computes. */
  public List<Column> columns() {
    return columns;
  }

  /** Ids, in order. */
  public static List<String> ids() {
    return Arrays.stream(values()).map(Metric::id).toList();
  }

  /** The id users write. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The metric of an id.
   *
   * @throws ExplainException if there is none
   */
  public static Metric byId(String id) {
    Map<String, Metric> byId = new LinkedHashMap<>();
    for (Metric metric : values()) {
      byId.put(metric.id(), metric);
    }
    Metric found = byId.get(id);
    if (found == null) {
      throw new ExplainException(
          "no metric '%s'; expected all, or some of %s"
              .formatted(id, String.join(", ", byId.keySet())));
    }
    return found;
  }
}
