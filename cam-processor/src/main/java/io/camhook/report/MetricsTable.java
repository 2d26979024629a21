package io.camhook.report;

import java.util.List;
import java.util.Map;

/**
 * Methods compared by metrics, as the report's table shows them. This is also the JSON that {@code
 * camhook report --metrics} reads.
 *
 * @param title what was measured on what, in one line
 * @param metrics the columns
 * @param rows one row a method
 */
public record MetricsTable(String title, List<Metric> metrics, List<Row> rows) {
  public MetricsTable {
    metrics = List.copyOf(metrics);
    rows = List.copyOf(rows);
  }

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
