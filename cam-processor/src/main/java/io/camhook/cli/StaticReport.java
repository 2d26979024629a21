package io.camhook.cli;

import io.camhook.cam.model.ModelMethods;
import io.camhook.recording.Counters;
import io.camhook.recording.Prediction;
import io.camhook.recording.Run;
import io.camhook.render.Picture;
import io.camhook.report.ReportSource;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * The report as pictures and text, for a wiki or build artifacts: {@code index.md}, and {@code
 * sheet-001-METHOD.png} … with the overlays of 24 captures each. Not thread-safe.
 */
final class StaticReport {
  private static final int COLUMNS = 6;
  private static final int ROWS = 4;
  private static final int TILE = 180;
  private static final int GAP = 12;
  private static final int TEXT = 38;

  private final Path directory;
  private final Map<String, List<Tile>> open = new TreeMap<>();
  private final Map<String, Integer> sheets = new TreeMap<>();
  private final Map<String, Integer> classes = new TreeMap<>();
  private final StringBuilder pictures = new StringBuilder();
  private final StringBuilder rows = new StringBuilder();
  private int captures;

  private record Tile(String name, String says, @Nullable BufferedImage image) {}

  StaticReport(Path directory) throws IOException {
    this.directory = Files.createDirectories(directory);
  }

  /** Adds a capture: a tile on the sheet of each method, and a line of the table. */
  void add(Explanation explanation, List<String> truth) throws IOException {
    captures++;
    Prediction best = explanation.predictions().isEmpty() ? null : explanation.predictions().get(0);
    String label = best == null ? "" : label(best);
    String says = best == null ? "" : "%s %s".formatted(label, percent(best.probability()));
    classes.merge(label.isEmpty() ? "no class" : label, 1, Integer::sum);
    String wrong = truth.isEmpty() || truth.contains(label) ? "" : "wrong";
    rows.append(
        "| %d | %s | %s | %s | %s | %s |%n"
            .formatted(
                captures,
                cell(explanation.extra().getOrDefault("name", explanation.name())),
                cell(label),
                best == null ? "" : percent(best.probability()),
                cell(String.join(", ", truth)),
                wrong));
    for (Explanation.Maps maps : explanation.maps()) {
      if (maps.n() > 0) {
        continue;
      }
      Picture overlay =
          MapPicture.of(maps.result().heatmap(), explanation.picture(), explanation.fed().input());
      String name = explanation.extra().getOrDefault("name", explanation.name());
      List<Tile> tiles = open.computeIfAbsent(maps.result().method(), id -> new ArrayList<>());
      tiles.add(
          new Tile(
              "%d  %s".formatted(captures, name),
              wrong.isEmpty() ? says : "✕ " + says,
              overlay == null ? null : overlay.toImage()));
      if (tiles.size() == COLUMNS * ROWS) {
        flush(maps.result().method());
      }
    }
  }

  private void flush(String method) throws IOException {
    List<Tile> tiles = open.getOrDefault(method, List.of());
    if (tiles.isEmpty()) {
      return;
    }
    int number = sheets.merge(method, 1, Integer::sum);
    String file =
        "sheet-%03d-%s.png".formatted(number, method.replace("+", "p").replaceAll("[^\\w-]", "-"));
    ImageIO.write(sheet(tiles), "png", directory.resolve(file).toFile());
    pictures.append("![%s, sheet %d](%s)%n%n".formatted(ModelMethods.title(method), number, file));
    tiles.clear();
  }

  private static BufferedImage sheet(List<Tile> tiles) {
    int columns = Math.min(COLUMNS, tiles.size());
    int lines = (tiles.size() + columns - 1) / columns;
    BufferedImage sheet =
        new BufferedImage(
            GAP + columns * (TILE + GAP),
            GAP + lines * (TILE + TEXT + GAP),
            BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    for (int i = 0; i < tiles.size(); i++) {
      int x = GAP + i % columns * (TILE + GAP);
      int y = GAP + i / columns * (TILE + TEXT + GAP);
      draw(g, tiles.get(i), x, y);
    }
    g.dispose();
    return sheet;
  }

  private static void draw(Graphics2D g, Tile tile, int x, int y) {
    BufferedImage image = tile.image;
    if (image != null) {
      double scale = Math.min((double) TILE / image.getWidth(), (double) TILE / image.getHeight());
      int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
      int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
      g.drawImage(image, x + (TILE - width) / 2, y + (TILE - height) / 2, width, height, null);
    }
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 12));
    g.setColor(new Color(0x1b1d24));
    g.drawString(fitted(g.getFontMetrics(), tile.name), x, y + TILE + 15);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    g.setColor(new Color(0x555c6a));
    g.drawString(fitted(g.getFontMetrics(), tile.says), x, y + TILE + 31);
  }

  private static String fitted(FontMetrics metrics, String text) {
    String shown = text;
    for (int end = text.length(); metrics.stringWidth(shown) > TILE && end > 1; end--) {
      shown = text.substring(0, end - 1) + "…";
    }
    return shown;
  }

  /** Writes the last sheets and the index. */
  void finish(List<ReportSource> sources) throws IOException {
    for (String method : List.copyOf(open.keySet())) {
      flush(method);
    }
    StringBuilder text = new StringBuilder("# camhook report\n\n");
    for (ReportSource source : sources) {
      provenance(text, source);
    }
    text.append("\n## Predicted classes\n\n| class | captures |\n| --- | ---: |\n");
    classes.forEach((label, n) -> text.append("| %s | %d |%n".formatted(cell(label), n)));
    text.append("\n## Heatmaps\n\n").append(pictures);
    text.append("## Captures\n\n| | capture | prediction | confidence | shows | |\n");
    text.append("| ---: | --- | --- | ---: | --- | --- |\n").append(rows);
    Files.writeString(directory.resolve("index.md"), text);
  }

  private static void provenance(StringBuilder text, ReportSource source) {
    text.append("- **%s**: %d captures%n".formatted(cell(source.path()), source.captures()));
    source
        .models()
        .forEach(
            model ->
                text.append(
                    "- model %s, %s, %s%n"
                        .formatted(
                            cell(model.name()),
                            model.engine() == null ? "engine unknown" : cell(model.engine()),
                            Objects.requireNonNullElse(model.hashInWords(), "no hash"))));
    for (Run run : source.runs()) {
      Counters counters = run.counters();
      text.append(
          "- recorded %s on %s by camhook %s: %s%n"
              .formatted(
                  run.started(),
                  cell(run.host()),
                  cell(run.camhookVersion()),
                  counters == null
                      ? "the run has not ended"
                      : "%d written, %d dropped, %d failed"
                          .formatted(counters.written(), counters.dropped(), counters.failed())));
    }
    source.damage().forEach(what -> text.append("- **damaged**: %s%n".formatted(cell(what))));
    if (!source.complete()) {
      text.append("- **not closed**: still written, or its program was killed\n");
    }
  }

  /** Recorded text must not become markup in the page that it is pasted into. */
  private static String cell(String text) {
    return text.replaceAll("([\\\\`*_{}\\[\\]<>|#!~])", "\\\\$1").replaceAll("\\s+", " ");
  }

  private static String label(Prediction prediction) {
    String label = prediction.label();
    return label == null ? "class " + prediction.index() : label;
  }

  private static String percent(double p) {
    return Double.isFinite(p) ? String.format(Locale.ROOT, "%.1f %%", 100 * p) : "";
  }
}
