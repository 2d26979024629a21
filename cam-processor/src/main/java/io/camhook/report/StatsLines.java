package io.camhook.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.report.LayerStatistics.Step;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads {@code stats.jsonl}, which the hook {@code stats} writes beside a recording, one object per
 * line. As in a capture, a layer's further calls in a step are named {@code relu#1}, {@code relu#2}
 * …, and its further outputs {@code lstm:1} …; with several models each layer's name starts with
 * its model's name.
 */
public final class StatsLines {
  /** Name of the file in the recording's directory. */
  public static final String NAME = "stats.jsonl";

  private static final List<String> NUMBERS = List.of("mean", "std", "min", "max", "zeros", "norm");

  private record Line(String model, String layer, String kind, Step step) {}

  private StatsLines() {}

  /** Whether a directory has such a file. */
  public static boolean existIn(Path directory) {
    return Files.isRegularFile(directory.resolve(NAME));
  }

  /**
   * Adds the steps of a directory's file, if it has one.
   *
   * @return one message for each invalid line; a last line that was cut off when the program was
   *     killed is skipped silently
   */
  public static List<String> read(Path directory, LayerStatistics statistics) throws IOException {
    List<String> damage = new ArrayList<>();
    if (!existIn(directory)) {
      return damage;
    }
    Path file = directory.resolve(NAME);
    List<Line> lines = lines(file, damage);
    Set<String> models = new HashSet<>();
    lines.forEach(line -> models.add(line.model));
    for (Line line : lines) {
      String prefix = models.size() > 1 ? line.model + " " : "";
      statistics.add(prefix + line.layer, line.kind, line.step);
    }
    return damage;
  }

  /** Receives lines one after the other. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * One line.
     *
     * @param value {@code activation} or {@code gradient}
     */
    void line(String model, String layer, String value, Step step);
  }

  /**
   * Passes every line of a directory's file to the visitor.
   *
   * @return one message for each invalid line
   */
  public static List<String> each(Path directory, Visitor visitor) throws IOException {
    List<String> damage = new ArrayList<>();
    for (Line line : lines(directory.resolve(NAME), damage)) {
      visitor.line(line.model, line.layer, line.kind, line.step);
    }
    return damage;
  }

  private static List<Line> lines(Path file, List<String> damage) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<Line> lines = new ArrayList<>();
    // not strict about UTF-8: a line with other bytes is one bad line, and not the end of the file
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      int number = 1;
      String next;
      for (String text = in.readLine(); text != null; text = next, number++) {
        next = in.readLine();
        if (text.isEmpty()) {
          continue; // after a line that could not be written
        }
        try {
          lines.add(line(mapper.readTree(text)));
        } catch (JsonProcessingException | IllegalArgumentException e) {
          if (next != null) {
            damage.add(
                "%s:%d: expected a line of the stats hook, found %s"
                    .formatted(file, number, text.length() > 60 ? text.substring(0, 60) : text));
          }
        }
      }
    }
    return lines;
  }

  private static Line line(JsonNode json) {
    for (String key : NUMBERS) {
      if (!json.path(key).isNumber() && !json.path(key).isNull()) {
        throw new IllegalArgumentException(key);
      }
    }
    if (!json.path("path").isTextual() || !json.path("value").isTextual()) {
      throw new IllegalArgumentException("path");
    }
    int call = json.path("call").asInt();
    int output = json.path("output").asInt();
    return new Line(
        json.path("model").asText(),
        json.path("path").asText()
            + (call == 0 ? "" : "#" + call)
            + (output == 0 ? "" : ":" + output),
        json.path("value").asText(),
        new Step(
            number(json, "mean"),
            number(json, "std"),
            number(json, "min"),
            number(json, "max"),
            number(json, "zeros"),
            number(json, "norm"),
            json.path("nonFinite").asLong()));
  }

  private static double number(JsonNode json, String key) {
    return json.path(key).asDouble(Double.NaN);
  }
}
