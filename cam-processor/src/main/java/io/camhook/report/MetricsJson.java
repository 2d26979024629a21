package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Map;

/** The field {@code metrics} of the index, for the page's tab "Methods". */
final class MetricsJson {
  private MetricsJson() {}

  static void write(JsonGenerator json, MetricsTable table) throws IOException {
    json.writeObjectFieldStart("metrics");
    json.writeStringField("title", table.title());
    json.writeArrayFieldStart("metrics");
    for (MetricsTable.Metric metric : table.metrics()) {
      json.writeStartObject();
      json.writeStringField("id", metric.id());
      json.writeStringField("name", metric.name());
      json.writeStringField("better", metric.better());
      json.writeStringField("unit", metric.unit());
      json.writeStringField("description", metric.description());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("rows");
    for (MetricsTable.Row row : table.rows()) {
      row(json, row);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("curves");
    for (MetricsTable.Curve curve : table.curves()) {
      curve(json, curve);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void row(JsonGenerator json, MetricsTable.Row row) throws IOException {
    json.writeStartObject();
    json.writeStringField("method", row.method());
    json.writeObjectFieldStart("values");
    for (Map.Entry<String, Double> value : row.values().entrySet()) {
      ReportJson.number(json, value.getKey(), value.getValue());
    }
    json.writeEndObject();
    json.writeObjectFieldStart("spreads");
    for (Map.Entry<String, MetricsTable.Spread> spread : row.spreads().entrySet()) {
      json.writeArrayFieldStart(spread.getKey());
      json.writeNumber(spread.getValue().n());
      ReportJson.number(json, spread.getValue().std());
      json.writeEndArray();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  /** A point is {@code [place, value]} or {@code [place, value, deviation]}. */
  private static void curve(JsonGenerator json, MetricsTable.Curve curve) throws IOException {
    json.writeStartObject();
    json.writeStringField("metric", curve.metric());
    json.writeStringField("method", curve.method());
    json.writeArrayFieldStart("points");
    for (MetricsTable.Point point : curve.points()) {
      json.writeStartArray();
      json.writeString(point.at());
      ReportJson.number(json, point.value());
      Double std = point.std();
      if (std != null) {
        ReportJson.number(json, std);
      }
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
