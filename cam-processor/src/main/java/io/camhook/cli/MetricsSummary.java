package io.camhook.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.camhook.cam.metrics.DeletionInsertion;
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
import org.jspecify.annotations.Nullable;

/**
 * Means of the metrics over the inputs, with their number and spread: as text, JSON and CSV.
 *
 * <p>The best value of each column is marked, together with values tied with it: a difference
 * within its own standard error, {@code sqrt(s1²/n1 + s2²/n2)}, is a tie. With a single input
 * nothing is ranked.
 */
final class MetricsSummary {
  /** Places of the courses of deletion and insertion: every tenth. */
  private static final int TENTHS = 10;

  private final List<Metric.Column> columns;
  private final Map<String, Map<String, Moments>> rows = new LinkedHashMap<>();
  private final Map<String, Map<String, List<Moments>>> courses = new LinkedHashMap<>();

  MetricsSummary(Set<Metric> metrics) {
    this.columns = metrics.stream().flatMap(metric -> metric.columns().stream()).toList();
  }

  /** Adds the measurements of one input. */
  void add(String method, Map<String, Double> values) {
    Map<String, Moments> row = rows.computeIfAbsent(method, id -> new LinkedHashMap<>());
    values.forEach((column, value) -> row.computeIfAbsent(column, id -> new Moments()).add(value));
  }

  /** Adds the courses of one input. */
  void add(String method, DeletionInsertion course) {
    add("deletion", method, course.fractions(), course.deletion());
    add("insertion", method, course.fractions(), course.insertion());
  }

  private void add(String metric, String method, double[] fractions, double[] scores) {
    if (columns.stream().noneMatch(column -> column.id().equals(metric))) {
      return;
    }
    List<Moments> places =
        courses
            .computeIfAbsent(metric, id -> new LinkedHashMap<>())
            .computeIfAbsent(method, id -> new ArrayList<>());
    for (int i = 0; i <= TENTHS; i++) {
      if (places.size() <= i) {
        places.add(new Moments());
      }
      places.get(i).add(between(fractions, scores, (double) i / TENTHS));
    }
  }

  /** Linear between the points of a course. */
  private static double between(double[] x, double[] y, double at) {
    int i = 1;
    while (i < x.length - 1 && x[i] < at) {
      i++;
    }
    double span = x[i] - x[i - 1];
    double share = span == 0 ? 1 : Math.min(1, Math.max(0, (at - x[i - 1]) / span));
    return y[i - 1] + share * (y[i] - y[i - 1]);
  }

  /** Adds the mean of a curve. */
  void add(MetricsTable.Curve curve) {
    curve.points().stream()
        .mapToDouble(MetricsTable.Point::value)
        .average()
        .ifPresent(mean -> add(curve.method(), Map.of(curve.metric(), mean)));
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** The table as the report shows it. */
  MetricsTable table(String title, List<MetricsTable.Curve> more) {
    List<MetricsTable.Row> shown = new ArrayList<>();
    rows.forEach(
        (method, row) -> {
          Map<String, Double> means = new LinkedHashMap<>();
          Map<String, MetricsTable.Spread> spreads = new LinkedHashMap<>();
          row.forEach(
              (column, moments) -> {
                means.put(column, moments.mean());
                spreads.put(column, moments.spread());
              });
          shown.add(new MetricsTable.Row(method, means, spreads));
        });
    List<MetricsTable.Curve> curves = new ArrayList<>();
    courses.forEach(
        (metric, methods) ->
            methods.forEach(
                (method, places) -> {
                  List<MetricsTable.Point> points = new ArrayList<>();
                  for (int i = 0; i <= TENTHS; i++) {
                    points.add(places.get(i).point(100 * i / TENTHS + " %"));
                  }
                  curves.add(new MetricsTable.Curve(metric, method, points));
                }));
    curves.addAll(more);
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
        shown,
        curves);
  }

  /**
   * One line per metric and method: mean, spread, number of inputs, and whether it is best or tied.
   */
  static String text(MetricsTable table) {
    int metrics = width(table.metrics().stream().map(MetricsTable.Metric::id).toList(), "metric");
    int methods = width(table.rows().stream().map(MetricsTable.Row::method).toList(), "method");
    StringBuilder text = new StringBuilder();
    text.append(
        "%s  %s  %9s   %-9s   n%n"
            .formatted(pad("metric", metrics), pad("method", methods), "mean", "std"));
    for (MetricsTable.Metric metric : table.metrics()) {
      MetricsTable.Row best = best(table, metric);
      for (MetricsTable.Row row : table.rows()) {
        if (row.values().containsKey(metric.id())) {
          text.append(line(metric, row, best, metrics, methods));
        }
      }
    }
    return text.toString();
  }

  private static String line(
      MetricsTable.Metric metric,
      MetricsTable.Row row,
      MetricsTable.@Nullable Row best,
      int metrics,
      int methods) {
    MetricsTable.Spread spread = row.spreads().get(metric.id());
    int n = spread == null ? 0 : spread.n();
    String note =
        best == null ? "" : row == best ? "  best" : tied(metric, row, best) ? "  tied" : "";
    return "%s  %s  %9s ± %-9s %3d%s"
            .formatted(
                pad(metric.id(), metrics),
                pad(row.method(), methods),
                number(row.values().getOrDefault(metric.id(), Double.NaN), metric),
                n < 2 || spread == null ? "?" : number(spread.std(), metric),
                n,
                note)
            .stripTrailing()
        + System.lineSeparator();
  }

  /** The row with the best mean; null if nothing can be ranked. */
  private static MetricsTable.@Nullable Row best(MetricsTable table, MetricsTable.Metric metric) {
    int sense = metric.better().equals("higher") ? 1 : -1;
    MetricsTable.Row best = null;
    double most = 0;
    int several = 0;
    for (MetricsTable.Row row : table.rows()) {
      Double value = row.values().get(metric.id());
      MetricsTable.Spread spread = row.spreads().get(metric.id());
      if (value == null || spread == null || spread.n() < 2) {
        continue;
      }
      several++;
      if (best == null || sense * value > sense * most) {
        best = row;
        most = value;
      }
    }
    return several < 2 ? null : best;
  }

  private static boolean tied(
      MetricsTable.Metric metric, MetricsTable.Row row, MetricsTable.Row best) {
    MetricsTable.Spread one = row.spreads().get(metric.id());
    MetricsTable.Spread other = best.spreads().get(metric.id());
    Double value = row.values().get(metric.id());
    Double most = best.values().get(metric.id());
    if (one == null || other == null || value == null || most == null || one.n() < 2) {
      return false;
    }
    double error =
        Math.sqrt(one.std() * one.std() / one.n() + other.std() * other.std() / other.n());
    return Math.abs(value - most) <= error;
  }

  private static int width(List<String> texts, String heading) {
    return texts.stream().mapToInt(String::length).max().orElse(0) < heading.length()
        ? heading.length()
        : texts.stream().mapToInt(String::length).max().orElse(0);
  }

  private static String number(double value, MetricsTable.Metric metric) {
    return metric.unit().equals("%")
        ? String.format(Locale.ROOT, "%.1f%%", 100 * value)
        : String.format(Locale.ROOT, "%.4f", value);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  /**
   * Writes {@code metrics.json} (what {@code camhook report --metrics} reads), {@code .csv}, and
   * the curves.
   */
  static void write(Path directory, MetricsTable table) throws IOException {
    ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    Files.write(directory.resolve("metrics.json"), json.writeValueAsBytes(table));
    StringBuilder csv = new StringBuilder("method");
    for (MetricsTable.Metric metric : table.metrics()) {
      csv.append(",%1$s,%1$s n,%1$s std".formatted(metric.id()));
    }
    csv.append('\n');
    for (MetricsTable.Row row : table.rows()) {
      csv.append(row.method());
      for (MetricsTable.Metric metric : table.metrics()) {
        Double value = row.values().get(metric.id());
        MetricsTable.Spread spread = row.spreads().get(metric.id());
        csv.append(',').append(value == null ? "" : value.toString());
        csv.append(',').append(spread == null ? "" : Integer.toString(spread.n()));
        csv.append(',').append(spread == null ? "" : Double.toString(spread.std()));
      }
      csv.append('\n');
    }
    Files.writeString(directory.resolve("metrics.csv"), csv);
    if (!table.curves().isEmpty()) {
      writeCurves(directory, table.curves());
    }
  }

  /** {@code metrics-curves.csv}: one line per point. */
  private static void writeCurves(Path directory, List<MetricsTable.Curve> curves)
      throws IOException {
    StringBuilder csv = new StringBuilder("metric,method,at,value,std\n");
    for (MetricsTable.Curve curve : curves) {
      for (MetricsTable.Point point : curve.points()) {
        csv.append(curve.metric()).append(',').append(curve.method()).append(',');
        csv.append(point.at()).append(',').append(point.value()).append(',');
        csv.append(point.std() == null ? "" : point.std().toString()).append('\n');
      }
    }
    Files.writeString(directory.resolve("metrics-curves.csv"), csv);
  }
}
