package io.camhook.report;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Methods compared by metrics, as the report's table shows them. This is also the JSON that {@code
 * camhook report --metrics} reads.
 *
 * @param title what was measured on what, in one line
 * @param metrics the columns
 * @param rows one row a method
 * @param curves what a number of the table is the mean of, where it has a course; may be empty
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
   * The course of a metric for one method.
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

  /** One place of a curve and the value there. */
  public record Point(String at, double value) {}

  /**
   * A column.
   *
   * @param id key of {@link Row#values()}
   * @param name heading
   * @param better {@code higher} or {@code lower}
   * @param unit {@code %} for shares of one, else what to print behind the number, may be empty
   * @param description one sentence, may be empty
   */
  public record Metric(String id, String name, String better, String unit, String description) {}

  /**
   * A row.
   *
   * @param method id of the method
   * @param values metric id to value; a missing metric is shown as a dash
   */
  public record Row(String method, Map<String, Double> values) {
    public Row {
      values = Map.copyOf(values);
    }
  }
}
