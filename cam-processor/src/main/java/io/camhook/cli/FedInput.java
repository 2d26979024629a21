package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Tensor;
import io.camhook.report.ReportInput;
import io.camhook.report.ReportInput.Box;
import io.camhook.report.ReportInput.Segmentation;
import io.camhook.report.ReportInput.Signal;
import io.camhook.report.ReportInput.Volume;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Prepares inputs that are not pictures, and overlays of pictures, for the report: from the tensors
 * of a capture and its metadata {@code tokens} and {@code boxes} (see {@code
 * docs/recording-format.md}).
 */
final class FedInput {
  static final String TOKENS = "tokens";
  static final String BOXES = "boxes";

  /** Larger inputs are left out: a report is a file that people send. */
  private static final int ELEMENTS = 1 << 21;

  private static final ObjectMapper JSON = new ObjectMapper();

  private FedInput() {}

  static ReportInput of(Explanation explanation) {
    Tensor input = explanation.fed().input();
    return new ReportInput(
        input != null && fits(input, 2) ? signal(input) : null,
        input != null && fits(input, 4) ? volume(input) : null,
        tokens(explanation.extra().get(TOKENS)),
        boxes(explanation.extra().get(BOXES)),
        segmentation(explanation.fed().output()));
  }

  private static boolean fits(Tensor input, int rank) {
    return input.rank() == rank && input.elements() > 0 && input.elements() <= ELEMENTS;
  }

  private static Signal signal(Tensor input) {
    return new Signal((int) input.size(0), (int) input.size(1), input.toFloats());
  }

  private static Volume volume(Tensor input) {
    float[] values = input.toFloats();
    int channels = (int) input.size(0);
    int positions = values.length / channels;
    float[] mean = new float[positions];
    for (int i = 0; i < values.length; i++) {
      mean[i % positions] += values[i] / channels;
    }
    return new Volume((int) input.size(1), (int) input.size(2), (int) input.size(3), mean);
  }

  /** The most probable class of each position, if the output is {@code [K,H,W]}. */
  private static @Nullable Segmentation segmentation(@Nullable Tensor output) {
    if (output == null
        || output.rank() != 3
        || output.size(0) < 2
        || output.size(0) > 255
        || output.size(1) < 4
        || output.size(2) < 4
        || output.elements() > 16L * ELEMENTS) {
      return null;
    }
    int classes = (int) output.size(0);
    int height = (int) output.size(1);
    int width = (int) output.size(2);
    float[] scores = output.toFloats();
    int positions = width * height;
    byte[] best = new byte[positions];
    for (int p = 0; p < positions; p++) {
      int top = 0;
      for (int k = 1; k < classes; k++) {
        if (scores[k * positions + p] > scores[top * positions + p]) {
          top = k;
        }
      }
      best[p] = (byte) top;
    }
    return new Segmentation(
        width, height, best, IntStream.range(0, classes).mapToObj(k -> "class " + k).toList());
  }

  /** The words of a text; empty if there are none. */
  static List<String> words(Explanation explanation) {
    return tokens(explanation.extra().get(TOKENS));
  }

  private static List<String> tokens(@Nullable String json) {
    List<String> tokens = new ArrayList<>();
    for (JsonNode token : array(json)) {
      tokens.add(token.asText());
    }
    return tokens;
  }

  private static List<Box> boxes(@Nullable String json) {
    List<Box> boxes = new ArrayList<>();
    for (JsonNode node : array(json)) {
      JsonNode box = node.path("box");
      if (box.size() == 4) {
        boxes.add(
            new Box(
                node.path("label").asText(),
                node.path("score").asDouble(Double.NaN),
                box.path(0).asDouble(),
                box.path(1).asDouble(),
                box.path(2).asDouble(),
                box.path(3).asDouble()));
      }
    }
    return boxes;
  }

  /** Metadata that others wrote: a value that is not an array appears only among the details. */
  private static JsonNode array(@Nullable String json) {
    if (json != null) {
      try {
        JsonNode node = JSON.readTree(json);
        if (node.isArray()) {
          return node;
        }
      } catch (JsonProcessingException e) {
        return JSON.createArrayNode();
      }
    }
    return JSON.createArrayNode();
  }

  /**
   * The metadata of sample {@code index} of a batch: lists with one entry per sample become that
   * entry.
   */
  static Map<String, String> sample(Map<String, String> metadata, int index, int samples) {
    if (!metadata.containsKey(TOKENS) && !metadata.containsKey(BOXES)) {
      return metadata;
    }
    Map<String, String> own = new LinkedHashMap<>(metadata);
    for (String key : List.of(TOKENS, BOXES)) {
      JsonNode all = array(metadata.get(key));
      boolean perSample =
          all.size() == samples
              && IntStream.range(0, all.size()).allMatch(i -> all.path(i).isArray());
      if (perSample && samples > 0) {
        own.put(key, all.path(index).toString());
      }
    }
    return own;
  }

  /** Row {@code sample} of a tensor whose first dimension is the batch; null if it has none. */
  static @Nullable Tensor row(@Nullable Tensor batch, int sample) {
    if (batch == null || batch.rank() < 2 || sample >= batch.size(0)) {
      return null;
    }
    long[] shape = Arrays.copyOfRange(batch.shape(), 1, batch.rank());
    int size = Math.toIntExact(batch.elements() / batch.size(0));
    return Tensor.ofFloats(
        Arrays.copyOfRange(batch.toFloats(), sample * size, (sample + 1) * size), shape);
  }
}
