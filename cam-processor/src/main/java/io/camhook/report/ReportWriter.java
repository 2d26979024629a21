package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import io.camhook.render.Picture;
import io.camhook.report.ReportCapture.Prediction;
import io.camhook.report.ReportCapture.Target;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Writes a report: one HTML file that opens from {@code file://} and asks the network for nothing.
 *
 * <p>The page, its index, the first capture and its code come first in the file, the other captures
 * after them, each in an inert {@code <script>} element of its own that is decoded when the capture
 * is opened. So a browser shows list and first capture before it has read the others, and the time
 * to open hardly grows with them.
 *
 * <p>Captures are written as they are added and not kept; {@link #finish} puts the file in place. A
 * writer that is closed before that leaves no file. Not thread-safe.
 */
public final class ReportWriter implements Closeable {
  private static final int THUMBNAILS_PER_BLOCK = 25;
  private static final int THUMBNAIL_SIDE = 80;

  private final Path file;
  private final ReportInfo info;
  private final ReportLimits limits;
  private final Path part;
  private final BufferedWriter blocks;
  private final List<Row> rows = new ArrayList<>();
  private final Set<String> models = new TreeSet<>();
  private final List<String> thumbnails = new ArrayList<>();
  private final LayerStatistics statistics = new LayerStatistics();
  private @Nullable MetricsTable metrics;

  /** In {@link #part}: where the first capture ends, and where the first thumbnails are. */
  private long firstCapture;

  private long thumbnailsFrom;
  private long thumbnailsTo;

  /** What the list shows of a capture. */
  private record Row(String name, List<String> targets, @Nullable Prediction best) {}

  /**
   * Begins a report.
   *
   * @param file where it goes; replaced when the report is finished
   * @throws IOException if the folder of {@code file} cannot be written
   */
  public ReportWriter(Path file, ReportInfo info, ReportLimits limits) throws IOException {
    this.file = file.toAbsolutePath();
    this.info = info;
    this.limits = limits;
    this.part = Path.of(this.file + ".part");
    Files.createDirectories(this.file.getParent());
    this.blocks = Files.newBufferedWriter(part, StandardCharsets.UTF_8);
  }

  /** Appends a capture. */
  public void add(ReportCapture capture) throws IOException {
    models.add(capture.model());
    block("c" + rows.size(), new CaptureBlock(capture, limits).json());
    if (rows.isEmpty()) {
      firstCapture = written();
    }
    rows.add(
        new Row(
            capture.name(),
            capture.targets().stream().map(Target::label).toList(),
            capture.predictions().isEmpty() ? null : capture.predictions().get(0)));
    Picture picture = capture.picture();
    thumbnails.add(picture == null ? "" : PictureCodec.thumbnail(picture, THUMBNAIL_SIDE));
    if (thumbnails.size() == THUMBNAILS_PER_BLOCK) {
      flushThumbnails();
    }
  }

  /** Number of captures added. */
  public int size() {
    return rows.size();
  }

  /** Statistics to show under "Layers"; fill them before {@link #finish}. */
  public LayerStatistics statistics() {
    return statistics;
  }

  /** Sets the table under "Metrics". */
  public void metrics(MetricsTable table) {
    metrics = table;
  }

  /** Completes the file and puts it in place, replacing an older one in one step. */
  public void finish() throws IOException {
    flushThumbnails();
    blocks.close();
    Path whole = Path.of(file + ".whole");
    try {
      try (FileChannel in = FileChannel.open(part);
          FileChannel out =
              FileChannel.open(
                  whole,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE)) {
        ReportPage page = ReportPage.load();
        write(out, page.head(title()));
        write(out, element("index", index()));
        copy(in, 0, firstCapture, out);
        copy(in, thumbnailsFrom, thumbnailsTo, out);
        write(out, page.script());
        copy(in, firstCapture, thumbnailsFrom, out);
        copy(in, thumbnailsTo, in.size(), out);
        write(out, page.foot());
      }
      Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(whole);
    }
  }

  private static void write(FileChannel out, String text) throws IOException {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void copy(FileChannel in, long from, long to, FileChannel out) throws IOException {
    for (long at = from; at < to; ) {
      at += in.transferTo(at, to - at, out);
    }
  }

  /** Removes what an unfinished report left behind. */
  @Override
  public void close() throws IOException {
    blocks.close();
    Files.deleteIfExists(part);
  }

  private void flushThumbnails() throws IOException {
    if (thumbnails.isEmpty()) {
      return;
    }
    int number = (rows.size() - 1) / THUMBNAILS_PER_BLOCK;
    if (number == 0) {
      thumbnailsFrom = written();
    }
    block(
        "t" + number,
        ReportJson.text(
            json -> json.writeArray(thumbnails.toArray(new String[0]), 0, thumbnails.size())));
    thumbnails.clear();
    if (number == 0) {
      thumbnailsTo = written();
    }
  }

  /** Bytes of {@link #part} so far. */
  private long written() throws IOException {
    blocks.flush();
    return Files.size(part);
  }

  private void block(String id, String json) throws IOException {
    blocks.write(element(id, json));
  }

  private static String element(String id, String json) {
    return "<script type=\"application/json\" id=\"" + id + "\">" + json + "</script>\n";
  }

  /** The given title, else the models. */
  private String title() {
    return info.title().isEmpty() ? String.join(", ", models) : info.title();
  }

  private String index() {
    return ReportJson.text(
        json -> {
          json.writeStartObject();
          json.writeNumberField("version", 1);
          json.writeStringField("title", title());
          json.writeStringField("created", info.created().toString());
          json.writeStringField("camhook", info.version());
          json.writeNumberField("thumbsPerBlock", THUMBNAILS_PER_BLOCK);
          json.writeArrayFieldStart("sources");
          for (String source : info.sources()) {
            json.writeString(source);
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
          json.writeArrayFieldStart("captures");
          for (Row row : rows) {
            row(json, row);
          }
          json.writeEndArray();
          statistics(json);
          if (metrics != null) {
            metrics(json, metrics);
          }
          json.writeEndObject();
        });
  }

  /**
   * {@code [name, label, probability, target labels]}: short, because there may be 10 000 of them.
   */
  private static void row(JsonGenerator json, Row row) throws IOException {
    json.writeStartArray();
    json.writeString(row.name);
    json.writeString(row.best == null ? "" : row.best.label());
    ReportJson.number(json, row.best == null ? Double.NaN : row.best.probability());
    json.writeArray(row.targets.toArray(new String[0]), 0, row.targets.size());
    json.writeEndArray();
  }

  private void statistics(JsonGenerator json) throws IOException {
    json.writeArrayFieldStart("statistics");
    for (Map.Entry<LayerStatistics.Key, LayerStatistics.Series> entry :
        statistics.series().entrySet()) {
      json.writeStartObject();
      json.writeStringField("layer", entry.getKey().layer());
      json.writeStringField("kind", entry.getKey().kind());
      json.writeNumberField("steps", entry.getValue().steps().size());
      json.writeFieldName("total");
      step(json, entry.getValue().total());
      json.writeArrayFieldStart("series");
      for (LayerStatistics.Step step : entry.getValue().thinned(240)) {
        step(json, step);
      }
      json.writeEndArray();
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

  private static void metrics(JsonGenerator json, MetricsTable table) throws IOException {
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
      json.writeStartObject();
      json.writeStringField("method", row.method());
      json.writeObjectFieldStart("values");
      for (Map.Entry<String, Double> value : row.values().entrySet()) {
        ReportJson.number(json, value.getKey(), value.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("curves");
    for (MetricsTable.Curve curve : table.curves()) {
      json.writeStartObject();
      json.writeStringField("metric", curve.metric());
      json.writeStringField("method", curve.method());
      json.writeArrayFieldStart("points");
      for (MetricsTable.Point point : curve.points()) {
        json.writeStartArray();
        json.writeString(point.at());
        ReportJson.number(json, point.value());
        json.writeEndArray();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void pair(JsonGenerator json, String key, String value) throws IOException {
    json.writeStartArray();
    json.writeString(key);
    json.writeString(value);
    json.writeEndArray();
  }
}
