package io.camhook.report;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Methods compared by metrics, as the report's table shows them. This is also the JSON that {@code
 * camhook report --metrics} reads.
 *
 * @param title what was measured on what, in one line
 * @param metrics the columns
 * @param rows one row per method
 * @param curves the curves of values that are means over a curve; may be empty
 */
public record MetricsTable(String title, List<Metric> metrics, List<Row> rows, List<Curve> curves) {
  public MetricsTable {
    metrics = List.copyOf(metrics);
    rows = List.copyOf(rows);
    curves = List.copyOf(Objects.requireNonNullElse(curves, List.of()));
  }

  /** A table without curves. */
  public MetricsTable(String title, List<Metric> metrics, List<Row> rows) {
    this(title, metrics, rows, List.of());
  }

  /**
   * The curve of a metric for one method.
   *
   * @param metric id of the metric
   * @param method id of the method
   * @param points in order
   */
  public record Curve(String metric, String method, List<Point> points) {
    public Curve {
      points = List.copyOf(points);
    }
  }

  /**
   * One point of a curve.
   *
   * @param at name of the position
   * @param value mean over the inputs
   * @param std standard deviation over the inputs, the width of the band; null if unknown
   */
  public record Point(String at, double value, @Nullable Double std) {
    /** A point without a band. */
    public Point(String at, double value) {
      this(at, value, null);
    }
  }

  /**
   * The uncertainty of a value.
   *
   * @param n number of inputs that it averages
   * @param std standard deviation over them (divided by n - 1); NaN or 0 for one
   */
  public record Spread(int n, double std) {}

  /**
   * A column.
   *
   * @param id key of {@link Row#values()}
   * @param name heading
   * @param better {@code higher} or {@code lower}
   * @param unit {@code %} for shares of one, else what to print after the number, may be empty
   * @param description one sentence, may be empty
   */
  public record Metric(String id, String name, String better, String unit, String description) {}

  /**
   * A row.
   *
   * @param method id of the method
   * @param values metric id to value; a missing metric is shown as a dash
   * @param spreads metric id to number of inputs and spread; may be empty
   */
  public record Row(String method, Map<String, Double> values, Map<String, Spread> spreads) {
    public Row {
      values = Map.copyOf(values);
      spreads = spreads == null ? Map.of() : Map.copyOf(spreads);
    }

    /** A row of values with an unknown spread. */
    public Row(String method, Map<String, Double> values) {
      this(method, values, Map.of());
    }
  }
}
