package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.RecordingException;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * {@code NAME.safetensors}: {@code image} or {@code fed} (a signal {@code [C,L]} or a volume {@code
 * [C,D,H,W]}), {@code logits}, from {@code camhook explain} also {@code activation/PATH} and {@code
 * gradient/PATH}, {@code raw/METHOD/PATH}, {@code heatmap/METHOD}; for a second call {@code
 * raw/METHOD/PATH#1}, {@code heatmap/METHOD#1}; for further targets {@code raw@1/…}, {@code
 * heatmap@1/…}; everything else is metadata.
 */
final class ExplanationFile {
  static final String SUFFIX = ".safetensors";
  private static final String FORMAT = "camhook.explanation";
  private static final String FORMAT_VERSION = "1";
  private static final String EXTRA = "extra.";

  /** Options that the maps were made with. */
  private static final String ASKED = "asked";

  private static final ObjectMapper JSON = new ObjectMapper();

  private ExplanationFile() {}

  /**
   * Writes an explanation.
   *
   * @param asked the options that its maps were computed with
   */
  static void write(Path directory, Explanation explanation, String asked) throws IOException {
    write(directory, explanation, Map.of(), asked);
  }

  /** Writes an explanation with other recorded tensors, by name. */
  static void write(Path directory, Explanation explanation, Map<String, Tensor> recorded)
      throws IOException {
    write(directory, explanation, recorded, "");
  }

  /** Whether the file with that name exists, is complete, and was computed with {@code asked}. */
  static boolean isMadeBy(Path directory, String name, String asked) throws IOException {
    Path file = directory.resolve(name + SUFFIX);
    if (!Files.exists(file)) {
      return false;
    }
    try {
      Map<String, String> metadata = Safetensors.read(file).metadata();
      return FORMAT_VERSION.equals(metadata.get(FORMAT)) && asked.equals(metadata.get(ASKED));
    } catch (RecordingException e) {
      return false; // it is written again
    }
  }

  private static void write(
      Path directory, Explanation explanation, Map<String, Tensor> recorded, String asked)
      throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Picture picture = explanation.picture();
    if (picture != null) {
      tensors.put("image", Tensor.ofBytes(picture.rgb(), picture.height(), picture.width(), 3));
    }
    Tensor logits = explanation.logits();
    if (logits != null) {
      tensors.put("logits", logits);
    }
    Tensor fed = explanation.fed().input();
    if (fed != null) {
      tensors.put("fed", fed);
    }
    tensors.putAll(recorded);
    for (Explanation.Maps maps : explanation.maps()) {
      CamResult result = maps.result();
      result
          .raw()
          .forEach(
              (path, map) ->
                  tensors.put(
                      "raw%s/%s/%s".formatted(maps.suffix(), result.method(), path),
                      map.toTensor()));
      tensors.put(
          "heatmap%s/%s".formatted(maps.suffix(), result.name()), result.heatmap().toTensor());
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT, FORMAT_VERSION);
    metadata.put("name", explanation.name());
    metadata.put("model", explanation.model());
    metadata.put("time", explanation.time().toString());
    metadata.put("targets", JSON.writeValueAsString(explanation.targets()));
    metadata.put("top_k", JSON.writeValueAsString(explanation.predictions()));
    if (!asked.isEmpty()) {
      metadata.put(ASKED, asked);
    }
    explanation.extra().forEach((key, value) -> metadata.put(EXTRA + key, value));
    Safetensors blob = new Safetensors(metadata, tensors);
    AtomicFile.write(
        directory.resolve(explanation.name() + SUFFIX),
        file -> {
          try (FileChannel channel =
              FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            blob.write(channel);
          }
        });
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws RecordingException if it is something else
   */
  static Explanation read(Path file) throws IOException {
    Safetensors blob = Safetensors.read(file);
    Map<String, String> metadata = blob.metadata();
    if (!FORMAT_VERSION.equals(metadata.get(FORMAT))) {
      throw new RecordingException(
          "%s: expected a result of camhook process or explain, found other tensors %s"
              .formatted(file, blob.tensors().keySet().stream().limit(3).toList()));
    }
    try {
      Tensor image = blob.tensors().get("image");
      return new Explanation(
          text(metadata, "name"),
          text(metadata, "model"),
          Instant.parse(text(metadata, "time")),
          image == null ? null : picture(image),
          blob.tensors().get("logits"),
          JSON.readValue(text(metadata, "top_k"), new TypeReference<List<Prediction>>() {}),
          JSON.readValue(text(metadata, "targets"), new TypeReference<List<Target>>() {}),
          maps(blob.tensors()),
          List.of(),
          Map.of(),
          extra(metadata),
          Explanation.Fed.of(blob.tensors().get("fed"), null));
    } catch (JsonProcessingException | DateTimeException | IllegalArgumentException e) {
      throw new RecordingException(file + ": damaged: " + e.getMessage(), e);
    }
  }

  private static String text(Map<String, String> metadata, String key) {
    String value = metadata.get(key);
    if (value == null) {
      throw new IllegalArgumentException("metadata '" + key + "' is missing");
    }
    return value;
  }

  private static Map<String, String> extra(Map<String, String> metadata) {
    Map<String, String> extra = new TreeMap<>();
    metadata.forEach(
        (key, value) -> {
          if (key.startsWith(EXTRA)) {
            extra.put(key.substring(EXTRA.length()), value);
          }
        });
    return extra;
  }

  private static Picture picture(Tensor image) {
    byte[] values = new byte[Math.toIntExact(image.elements())];
    image.data().get(values);
    return Picture.of(values, Math.toIntExact(image.size(1)), Math.toIntExact(image.size(0)), 3);
  }

  private static List<Explanation.Maps> maps(Map<String, Tensor> tensors) {
    Map<String, List<String>> heatmaps = new LinkedHashMap<>();
    for (String name : tensors.keySet()) {
      if (name.matches("heatmap(@\\d+)?/.+")) {
        String method = name.substring("heatmap".length()).replaceFirst("#.*", "");
        heatmaps.computeIfAbsent(method, key -> new ArrayList<>()).add(name);
      }
    }
    List<Explanation.Maps> all = new ArrayList<>();
    heatmaps.forEach((method, names) -> all.addAll(maps(tensors, method, names)));
    return all;
  }

  /**
   * The maps of a method for one target.
   *
   * @param method {@code @1/gradcam}: the target, unless it is the first, and the method
   * @param heatmaps the tensors of its heatmaps, one for each call
   */
  private static List<Explanation.Maps> maps(
      Map<String, Tensor> tensors, String method, List<String> heatmaps) {
    String prefix = "raw" + method + "/";
    List<String> layers =
        tensors.keySet().stream()
            .filter(name -> name.startsWith(prefix))
            .map(name -> name.substring(prefix.length()))
            .toList();
    String[] targetAndId = method.split("/", 2);
    int n = targetAndId[0].isEmpty() ? 0 : Integer.parseInt(targetAndId[0].substring(1));
    List<Explanation.Maps> all = new ArrayList<>();
    for (String heatmap : heatmaps) {
      int hash = heatmap.indexOf('#');
      int call = hash < 0 ? 0 : Integer.parseInt(heatmap.substring(hash + 1));
      Map<String, FloatMap> raw = new LinkedHashMap<>();
      for (int i = 0; i < layers.size(); i++) {
        if (isOf(call, layers, i, heatmaps)) {
          raw.put(layers.get(i), map(Objects.requireNonNull(tensors.get(prefix + layers.get(i)))));
        }
      }
      all.add(
          new Explanation.Maps(
              n,
              new CamResult(
                  targetAndId[1], call, raw, map(Objects.requireNonNull(tensors.get(heatmap))))));
    }
    return all;
  }

  /**
   * Whether a layer's map belongs to a call. Where each call has one map, they are in the order of
   * the calls; the number in an operator's name, {@code relu#8}, is no call.
   */
  private static boolean isOf(int call, List<String> layers, int layer, List<String> heatmaps) {
    if (heatmaps.size() == 1) {
      return true;
    }
    return layers.size() == heatmaps.size()
        ? layer == call
        : LayerOutput.parse(layers.get(layer)).call() == call;
  }

  private static FloatMap map(Tensor tensor) {
    return FloatMap.of(
        tensor.toFloats(), Arrays.stream(tensor.shape()).mapToInt(Math::toIntExact).toArray());
  }
}
