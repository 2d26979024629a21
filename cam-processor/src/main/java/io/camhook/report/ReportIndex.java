package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.RecordingJsonWriter;
import io.camhook.recording.Run;
import io.camhook.render.Picture;
import io.camhook.report.HeatmapThumbnails.Small;
import io.camhook.report.ReportCapture.Prediction;
import io.camhook.report.ReportCapture.Target;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The index of a report: a short row for each capture, and summaries over many captures. Not
 * thread-safe.
 */
final class ReportIndex {
  /** Number of thumbnails that are loaded together. */
  static final int THUMBNAILS_PER_BLOCK = 25;

  private static final int STEPS_SHOWN = 240;

  private final ReportInfo info;
  private final List<Row> rows = new ArrayList<>();
  private final Set<String> models = new TreeSet<>();
  private final Set<String> layers = new LinkedHashSet<>();
  private final Numbers numbers = new Numbers();
  private final Overview overview = new Overview();
  private final LayerStatistics statistics = new LayerStatistics();
  private List<ReportSource> sources;
  private @Nullable MetricsTable metrics;
  private boolean compares;

  /** A capture's row in the list, with the values to filter by. */
  private record Row(
      String name,
      List<String> targets,
      @Nullable Prediction best,
      long time,
      String model,
      List<String> truth,
      int source,
      double[] numbers,
      List<String> layers,
      long fed) {}

  ReportIndex(ReportInfo info) {
    this.info = info;
    this.sources = info.sources().stream().map(ReportSource::of).toList();
  }

  /** Adds a capture's row. */
  void add(ReportCapture capture, Map<String, Small> heats) {
    models.add(capture.model());
    List<String> recorded = new ArrayList<>();
    capture.channels().forEach(c -> recorded.add(c.layer()));
    for (ReportCapture.CamMap map : capture.maps()) {
      String layer = map.layer();
      if (layer != null && !recorded.contains(layer)) {
        recorded.add(layer);
      }
    }
    layers.addAll(recorded);
    Prediction best = capture.predictions().isEmpty() ? null : capture.predictions().get(0);
    rows.add(
        new Row(
            capture.name(),
            capture.targets().stream().map(Target::label).toList(),
            best,
            time(capture.time()),
            capture.model(),
            capture.truth(),
            capture.source(),
            numbers(capture, heats, best),
            List.copyOf(recorded),
            Fingerprint.of(capture)));
  }

  private double[] numbers(
      ReportCapture capture, Map<String, Small> heats, @Nullable Prediction best) {
    Map<String, Double> computed = new LinkedHashMap<>();
    if (capture.predictions().size() > 1) {
      computed.put(
          "margin",
          (double) capture.predictions().get(0).probability()
              - capture.predictions().get(1).probability());
    }
    if (!capture.targets().isEmpty()) {
      computed.put("score", (double) capture.targets().get(0).score());
    }
    Map<String, Double> agreement = overview.add(best == null ? "" : best.label(), heats);
    heats.values().stream().limit(1).forEach(heat -> computed.put("hot area", heat.area()));
    if (!agreement.isEmpty()) {
      double sum = agreement.values().stream().mapToDouble(r -> r).sum();
      computed.put("agreement of methods", sum / agreement.size());
    }
    return numbers.of(computed, capture.metadata(), agreement.size() > 1 ? agreement : Map.of());
  }

  /** Milliseconds, or -1. */
  private static long time(String text) {
    try {
      return text.isEmpty() ? -1 : Instant.parse(text).toEpochMilli();
    } catch (DateTimeException e) {
      return -1;
    }
  }

  int size() {
    return rows.size();
  }

  LayerStatistics statistics() {
    return statistics;
  }

  void metrics(MetricsTable table) {
    metrics = table;
  }

  void sources(List<ReportSource> all) {
    sources = List.copyOf(all);
  }

  /** Pairs the captures of the first two sources that have the same input. */
  void compare() {
    compares = true;
  }

  /** The given title, otherwise the models. */
  String title() {
    return info.title().isEmpty() ? String.join(", ", models) : info.title();
  }

  /** An entry of a block of thumbnails: {@code [data URL, {method: [w, h, levels]}]}. */
  static byte[] thumbnail(ReportCapture capture, Map<String, Small> heats, int side) {
    Picture picture = capture.picture();
    return ReportJson.bytes(
        json -> {
          json.writeStartArray();
          if (picture == null) {
            json.writeString("");
          } else {
            PictureCodec.thumbnail(json, picture, side);
          }
          json.writeStartObject();
          for (Map.Entry<String, Small> heat : heats.entrySet()) {
            Small small = heat.getValue();
            json.writeArrayFieldStart(heat.getKey());
            json.writeNumber(small.width());
            json.writeNumber(small.height());
            ReportJson.base64(json, small.levels());
            json.writeEndArray();
          }
          json.writeEndObject();
          json.writeEndArray();
        });
  }

  /** A block of thumbnails. */
  static byte[] thumbnails(List<byte[]> entries) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (byte[] entry : entries) {
      block.write(block.size() == 0 ? '[' : ',');
      block.writeBytes(entry);
    }
    if (entries.isEmpty()) {
      block.write('[');
    }
    block.write(']');
    return block.toByteArray();
  }

  byte[] json() {
    return json(0);
  }

  /** The index with the rows from {@code from} on, in UTF-8. */
  byte[] json(int from) {
    return ReportJson.bytes(
        json -> {
          json.writeStartObject();
          json.writeNumberField("version", 2);
          json.writeStringField("title", title());
          json.writeStringField("created", info.created().toString());
          json.writeStringField("camhook", info.version());
          json.writeNumberField("thumbsPerBlock", THUMBNAILS_PER_BLOCK);
          json.writeArrayFieldStart("sources");
          for (ReportSource source : sources) {
            source(json, source);
          }
          json.writeEndArray();
          json.writeArrayFieldStart("methods");
          for (Map.Entry<String, String> method : info.methods().entrySet()) {
            pair(json, method.getKey(), method.getValue());
          }
          json.writeEndArray();
          json.writeArrayFieldStart("colormaps");
          for (Map.Entry<String, byte[]> map : info.colormaps().entrySet()) {
            pair(json, map.getKey(), Base64.getEncoder().encodeToString(map.getValue()));
          }
          json.writeEndArray();
          json.writeFieldName("models");
          json.writeArray(models.toArray(new String[0]), 0, models.size());
          json.writeFieldName("layers");
          json.writeArray(layers.toArray(new String[0]), 0, layers.size());
          numbers.write(json);
          json.writeNumberField("total", rows.size());
          json.writeNumberField("from", from);
          json.writeArrayFieldStart("captures");
          List<String> modelOrder = List.copyOf(models);
          List<String> layerOrder = List.copyOf(layers);
          for (Row row : rows.subList(Math.min(from, rows.size()), rows.size())) {
            row(json, row, modelOrder, layerOrder);
          }
          json.writeEndArray();
          overview.write(json);
          statistics(json);
          if (metrics != null) {
            MetricsJson.write(json, metrics);
          }
          if (compares) {
            pairs(json);
          }
          json.writeEndObject();
        });
  }

  /**
   * {@code [name, label, probability, target labels, time, model, truth, source, numbers, layers]}:
   * short, because there may be 10 000 of them.
   */
  private static void row(
      JsonGenerator json, Row row, List<String> modelOrder, List<String> layerOrder)
      throws IOException {
    json.writeStartArray();
    json.writeString(row.name);
    json.writeString(row.best == null ? "" : row.best.label());
    ReportJson.number(json, row.best == null ? Double.NaN : row.best.probability());
    json.writeArray(row.targets.toArray(new String[0]), 0, row.targets.size());
    json.writeNumber(row.time);
    json.writeNumber(modelOrder.indexOf(row.model));
    json.writeArray(row.truth.toArray(new String[0]), 0, row.truth.size());
    json.writeNumber(row.source);
    json.writeStartArray();
    for (double number : row.numbers) {
      ReportJson.number(json, number);
    }
    json.writeEndArray();
    json.writeStartArray();
    for (String layer : row.layers) {
      json.writeNumber(layerOrder.indexOf(layer));
    }
    json.writeEndArray();
    json.writeEndArray();
  }

  private static void source(JsonGenerator json, ReportSource source) throws IOException {
    json.writeStartObject();
    json.writeStringField("path", source.path());
    json.writeNumberField("captures", source.captures());
    json.writeNumberField("removed", source.removed());
    json.writeBooleanField("complete", source.complete());
    json.writeFieldName("damage");
    json.writeArray(source.damage().toArray(new String[0]), 0, source.damage().size());
    json.writeArrayFieldStart("models");
    for (ModelInfo model : source.models()) {
      RecordingJsonWriter.model(json, model);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("runs");
    for (Run run : source.runs()) {
      RecordingJsonWriter.run(json, run);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void statistics(JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("statistics");
    for (Map.Entry<LayerStatistics.Key, LayerStatistics.Series> entry :
        statistics.series().entrySet()) {
      LayerStatistics.Series series = entry.getValue();
      json.writeStartObject();
      json.writeStringField("layer", entry.getKey().layer());
      json.writeStringField("kind", entry.getKey().kind());
      json.writeNumberField("steps", series.steps().size());
      json.writeFieldName("total");
      step(json, series.total());
      json.writeArrayFieldStart("series");
      for (LayerStatistics.Step step : series.thinned(STEPS_SHOWN)) {
        step(json, step);
      }
      json.writeEndArray();
      if (series.isCaptured()) {
        int[] at = series.captures(STEPS_SHOWN);
        json.writeFieldName("at");
        json.writeArray(at, 0, at.length);
      }
      List<int[]> histograms = series.histograms(STEPS_SHOWN / 4);
      if (!histograms.isEmpty()) {
        json.writeArrayFieldStart("histograms");
        for (int[] bins : histograms) {
          json.writeArray(bins, 0, bins.length);
        }
        json.writeEndArray();
      }
      LayerStatistics.Dead dead = statistics.dead(entry.getKey());
      if (dead != null) {
        json.writeFieldName("dead");
        json.writeArray(new int[] {dead.dead(), dead.channels()}, 0, 2);
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** {@code [mean, std, min, max, zeros, not finite, norm]}. */
  private static void step(JsonGenerator json, LayerStatistics.Step step) throws IOException {
    json.writeStartArray();
    ReportJson.number(json, step.mean());
    ReportJson.number(json, step.std());
    ReportJson.number(json, step.min());
    ReportJson.number(json, step.max());
    ReportJson.number(json, step.zeros());
    json.writeNumber(step.notFinite());
    ReportJson.number(json, step.norm());
    json.writeEndArray();
  }

  /** Captures of the two sources that have the same input, by fingerprint and order. */
  private void pairs(JsonGenerator json) throws IOException {
    Map<Long, Deque<Integer>> before = new HashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).source == 0) {
        before.computeIfAbsent(rows.get(i).fed, key -> new ArrayDeque<>()).add(i);
      }
    }
    json.writeArrayFieldStart("pairs");
    for (int i = 0; i < rows.size(); i++) {
      Deque<Integer> same = rows.get(i).source == 1 ? before.get(rows.get(i).fed) : null;
      Integer partner = same == null ? null : same.poll();
      if (partner != null) {
        json.writeArray(new int[] {partner, i}, 0, 2);
      }
    }
    json.writeEndArray();
  }

  private static void pair(JsonGenerator json, String key, String value) throws IOException {
    json.writeStartArray();
    json.writeString(key);
    json.writeString(value);
    json.writeEndArray();
  }
}
