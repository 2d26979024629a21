package io.camhook.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.camhook.explain.Metric;
import io.camhook.report.MetricsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Means of the metrics over the inputs: as text, JSON and CSV. */
final class MetricsSummary {
  private final List<Metric.Column> columns;
  private final Map<String, Map<String, double[]>> sums = new LinkedHashMap<>();

  MetricsSummary(Set<Metric> metrics) {
    this.columns = metrics.stream().flatMap(metric -> metric.columns().stream()).toList();
  }

  /** Adds what was measured of one input. */
  void add(String method, Map<String, Double> values) {
    Map<String, double[]> row = sums.computeIfAbsent(method, id -> new LinkedHashMap<>());
    values.forEach(
        (column, value) -> {
          double[] sum = row.computeIfAbsent(column, id -> new double[2]);
          sum[0] += value;
          sum[1]++;
        });
  }

  /** Adds the mean of a curve. */
  void add(MetricsTable.Curve curve) {
    curve.points().stream()
        .mapToDouble(MetricsTable.Point::value)
        .average()
        .ifPresent(mean -> add(curve.method(), Map.of(curve.metric(), mean)));
  }

  boolean isEmpty() {
    return sums.isEmpty();
  }

  /** The table as the report shows it. */
  MetricsTable table(String title, List<MetricsTable.Curve> curves) {
    List<MetricsTable.Row> rows = new ArrayList<>();
    sums.forEach(
        (method, row) -> {
          Map<String, Double> means = new LinkedHashMap<>();
          row.forEach((column, sum) -> means.put(column, sum[0] / sum[1]));
          rows.add(new MetricsTable.Row(method, means));
        });
    return new MetricsTable(
        title,
        columns.stream()
            .map(
                column ->
                    new MetricsTable.Metric(
                        column.id(),
                        column.id(),
                        column.higherIsBetter() ? "higher" : "lower",
                        column.unit(),
                        column.description()))
            .toList(),
        rows,
        curves);
  }

  /** Columns right-aligned, one line a method. */
  static String text(MetricsTable table) {
    int first = table.rows().stream().mapToInt(row -> row.method().length()).max().orElse(0);
    StringBuilder text = new StringBuilder(pad("method", first));
    table.metrics().forEach(metric -> text.append("  ").append(metric.id()));
    text.append('\n');
    for (MetricsTable.Row row : table.rows()) {
      text.append(pad(row.method(), first));
      for (MetricsTable.Metric metric : table.metrics()) {
        String number = number(row, metric);
        int width = metric.id().length() + 2;
        text.append(" ".repeat(Math.max(1, width - number.length()))).append(number);
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String number(MetricsTable.Row row, MetricsTable.Metric metric) {
    Double value = row.values().get(metric.id());
    return value == null
        ? "-"
        : metric.unit().equals("%")
            ? String.format(Locale.ROOT, "%.1f%%", 100 * value)
            : String.format(Locale.ROOT, "%.4f", value);
  }

  /**
   * Writes {@code metrics.json} (what {@code camhook report --metrics} reads), {@code .csv}, and
   * the curves.
   */
  static void write(Path directory, MetricsTable table) throws IOException {
    ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    Files.write(directory.resolve("metrics.json"), json.writeValueAsBytes(table));
    StringBuilder csv = new StringBuilder("method");
    table.metrics().forEach(metric -> csv.append(',').append(metric.id()));
    csv.append('\n');
    for (MetricsTable.Row row : table.rows()) {
      csv.append(row.method());
      for (MetricsTable.Metric metric : table.metrics()) {
        Double value = row.values().get(metric.id());
        csv.append(',').append(value == null ? "" : value.toString());
      }
      csv.append('\n');
    }
    Files.writeString(directory.resolve("metrics.csv"), csv);
    if (!table.curves().isEmpty()) {
      writeCurves(directory, table.curves());
    }
  }

  /** {@code metrics-curves.csv}: one line a point. */
  private static void writeCurves(Path directory, List<MetricsTable.Curve> curves)
      throws IOException {
    StringBuilder csv = new StringBuilder("metric,method,at,value\n");
    for (MetricsTable.Curve curve : curves) {
      for (MetricsTable.Point point : curve.points()) {
        csv.append(curve.metric()).append(',').append(curve.method()).append(',');
        csv.append(point.at()).append(',').append(point.value()).append('\n');
      }
    }
    Files.writeString(directory.resolve("metrics-curves.csv"), csv);
  }
}
