package io.camhook.capture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.camhook.dispatch.EventLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The names of a model's classes, if they come with the model: in its metadata (Ultralytics writes
 * {@code names}), in {@code synset.txt} beside it, or as {@code id2label} in the {@code
 * config.json} beside it (Hugging Face).
 */
public final class ClassNames {
  private static final List<String> KEYS =
      List.of("names", "labels", "classes", "class_names", "id2label");

  /**
   * Metadata is written by Python, too, whose {@code str(dict)} has single quotes and bare keys.
   */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .enable(JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES)
          .build();

  private ClassNames() {}

  /**
   * The class names in the metadata or the folder.
   *
   * @param folder the model's folder; null if it was loaded from bytes
   */
  public static List<String> of(Map<String, String> metadata, @Nullable Path folder) {
    for (String key : KEYS) {
      List<String> names = parsed(metadata.getOrDefault(key, ""));
      if (!names.isEmpty()) {
        return names;
      }
    }
    return folder == null
        ? List.of()
        : text(folder.resolve("synset.txt"))
            .map(ClassNames::lines)
            .or(() -> text(folder.resolve("config.json")).map(ClassNames::configured))
            .orElse(List.of());
  }

  /**
   * The names in the user's file, one per line.
   *
   * @param model name of the model, for a warning if the file cannot be read
   * @return empty if it cannot be read
   */
  public static List<String> read(Path file, String model, EventLog log) {
    try {
      return Files.readAllLines(file).stream().map(String::strip).toList();
    } catch (IOException e) {
      log.warn(
          "model %s: labels file %s cannot be read (%s); classes are numbers"
              .formatted(model, file, e));
      return List.of();
    }
  }

  private static Optional<String> text(Path file) {
    try {
      return Files.isRegularFile(file) ? Optional.of(Files.readString(file)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // a model without names is not a failure
    }
  }

  private static List<String> lines(String text) {
    return text.lines().map(line -> line.strip().replaceFirst("^n\\d{8}\\s+", "")).toList();
  }

  private static List<String> configured(String config) {
    try {
      JsonNode names = JSON.readTree(config).get("id2label");
      return names == null ? List.of() : listed(names);
    } catch (JsonProcessingException e) {
      return List.of();
    }
  }

  private static List<String> parsed(String value) {
    try {
      return listed(JSON.readTree(value));
    } catch (JsonProcessingException e) {
      return value.contains("\n") ? lines(value) : List.of();
    }
  }

  /** {@code ["cat", "dog"]} or {@code {0: "cat", 1: "dog"}}, without a gap; else empty. */
  private static List<String> listed(JsonNode node) {
    List<String> names = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(name -> names.add(name.asText()));
    } else if (node.isObject()) {
      Map<Integer, String> byIndex = new TreeMap<>();
      Iterator<Map.Entry<String, JsonNode>> fields = node.fields();
      while (fields.hasNext()) {
        Map.Entry<String, JsonNode> field = fields.next();
        if (!field.getKey().matches("\\d{1,6}")) {
          return List.of();
        }
        byIndex.put(Integer.parseInt(field.getKey()), field.getValue().asText());
      }
      if (byIndex.size() - 1 != byIndex.keySet().stream().mapToInt(i -> i).max().orElse(-2)) {
        return List.of();
      }
      names.addAll(byIndex.values());
    }
    return names;
  }
}
