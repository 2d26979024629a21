package io.camhook.builtin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Statistics of a model's layers in a recording, as the reference for later runs: a JSON file that
 * {@code camhook baseline} writes.
 *
 * <pre>
 * {"version":1,"layers":[
 *   {"model":"resnet18","layer":"layer4","value":"activation","steps":200,
 *    "mean":0.89,"meanStd":0.04,"norm":224.7,"normStd":9.1,"zeros":0.31,"zerosStd":0.02}]}
 * </pre>
 *
 * {@code mean} is the mean over the steps of each step's mean, and {@code meanStd} the standard
 * deviation over the steps; {@code norm} and {@code zeros} are defined in the same way.
 *
 * @param layers the statistics, by layer
 */
public record Baseline(Map<Key, Usual> layers) {
  private static final int VERSION = 1;
  private static final JsonFactory JSON = new JsonFactory();

  /** Least deviation, as a share of the mean: a layer that never varied may vary a little. */
  private static final double LEAST_DEVIATION = 1e-3;

  /**
   * The values that statistics are about.
   *
   * @param layer path, {@code path#1} of a second call, {@code path:1} of a second output
   * @param value {@code activation} or {@code gradient}
   */
  public record Key(String model, String layer, String value) {}

  /** Mean and standard deviation over the steps, of three numbers. */
  public record Usual(
      long steps,
      double mean,
      double meanStd,
      double norm,
      double normStd,
      double zeros,
      double zerosStd) {
    /** How many standard deviations the mean of a step lies from the usual one. */
    double driftOfMean(double now) {
      return drift(now, mean, meanStd);
    }

    /** The same for the norm. */
    double driftOfNorm(double now) {
      return drift(now, norm, normStd);
    }

    private static double drift(double now, double usual, double std) {
      return (now - usual) / Math.max(std, LEAST_DEVIATION * Math.abs(usual) + 1e-12);
    }
  }

  public Baseline {
    layers = Map.copyOf(layers);
  }

  /** The usual statistics of these values; null if unknown. */
  @Nullable Usual of(Key key) {
    return layers.get(key);
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it is not a baseline
   */
  public static Baseline read(Path file) throws IOException {
    Map<Key, Usual> layers = new HashMap<>();
    boolean known = false;
    try (JsonParser json = JSON.createParser(Files.readAllBytes(file))) {
      while (json.nextToken() != null) {
        if (json.currentToken() != JsonToken.FIELD_NAME) {
          continue;
        }
        if ("version".equals(json.currentName())) {
          known = json.nextIntValue(0) == VERSION;
        } else if ("layers".equals(json.currentName())) {
          json.nextToken();
          while (json.nextToken() == JsonToken.START_OBJECT) {
            layer(json, layers);
          }
        }
      }
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not JSON: " + e.getOriginalMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
    if (!known || layers.isEmpty()) {
      throw new IOException(file + ": expected a baseline, which camhook baseline writes");
    }
    return new Baseline(layers);
  }

  private static void layer(JsonParser json, Map<Key, Usual> layers) throws IOException {
    Map<String, String> texts = new HashMap<>();
    Map<String, Double> numbers = new HashMap<>();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      if (json.nextToken() == JsonToken.VALUE_STRING) {
        texts.put(name, json.getText());
      } else if (json.currentToken().isNumeric()) {
        numbers.put(name, json.getDoubleValue());
      } else {
        json.skipChildren();
      }
    }
    layers.put(
        new Key(needed(texts, "model"), needed(texts, "layer"), needed(texts, "value")),
        new Usual(
            needed(numbers, "steps").longValue(),
            needed(numbers, "mean"),
            needed(numbers, "meanStd"),
            needed(numbers, "norm"),
            needed(numbers, "normStd"),
            needed(numbers, "zeros"),
            needed(numbers, "zerosStd")));
  }

  private static <T> T needed(Map<String, T> of, String key) {
    T value = of.get(key);
    if (value == null) {
      throw new IllegalArgumentException("a layer of the baseline lacks \"" + key + "\"");
    }
    return value;
  }

  /** Writes a file. */
  public void write(Path file) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(Files.newOutputStream(file))) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeArrayFieldStart("layers");
      List<Key> keys =
          layers.keySet().stream()
              .sorted(
                  java.util.Comparator.comparing(Key::model)
                      .thenComparing(Key::layer)
                      .thenComparing(Key::value))
              .toList();
      for (Key key : keys) {
        layer(json, key, needed(layers, key));
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }

  private static Usual needed(Map<Key, Usual> of, Key key) {
    return java.util.Objects.requireNonNull(of.get(key));
  }

  private static void layer(JsonGenerator json, Key key, Usual usual) throws IOException {
    Map<String, Double> numbers = new LinkedHashMap<>();
    numbers.put("mean", usual.mean());
    numbers.put("meanStd", usual.meanStd());
    numbers.put("norm", usual.norm());
    numbers.put("normStd", usual.normStd());
    numbers.put("zeros", usual.zeros());
    numbers.put("zerosStd", usual.zerosStd());
    json.writeStartObject();
    json.writeStringField("model", key.model());
    json.writeStringField("layer", key.layer());
    json.writeStringField("value", key.value());
    json.writeNumberField("steps", usual.steps());
    for (Map.Entry<String, Double> number : numbers.entrySet()) {
      json.writeNumberField(number.getKey(), number.getValue());
    }
    json.writeEndObject();
  }
}
