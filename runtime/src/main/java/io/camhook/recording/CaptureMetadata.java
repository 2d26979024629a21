package io.camhook.recording;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** How a capture's attributes are stored in the string → string metadata of its blob. */
final class CaptureMetadata {
  /** Version of what follows; also tells a capture from any other safetensors blob. */
  static final String FORMAT = "camhook.capture";

  static final String FORMAT_VERSION = "1";
  private static final String ID = "id";
  private static final String MODEL = "model";
  private static final String TIME = "time";
  private static final String TARGETS = "targets";
  private static final String TOP_K = "top_k";
  static final String CRC = "crc32c";

  static final Set<String> RESERVED =
      new TreeSet<>(Set.of(FORMAT, ID, MODEL, TIME, TARGETS, TOP_K, CRC));

  private CaptureMetadata() {}

  /**
   * All metadata of a capture.
   *
   * @param crc CRC32C of the tensors
   */
  static Map<String, String> write(Capture capture, int crc) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT, FORMAT_VERSION);
    metadata.put(ID, capture.id());
    metadata.put(MODEL, capture.model());
    metadata.put(TIME, capture.time().toString());
    metadata.put(TARGETS, RecordingJsonWriter.targets(capture.targets()));
    metadata.put(TOP_K, RecordingJsonWriter.topK(capture.topK()));
    metadata.put(CRC, hex(crc));
    metadata.putAll(capture.extra());
    return metadata;
  }

  static Capture read(Safetensors blob, String where) throws RecordingException {
    Map<String, String> metadata = new LinkedHashMap<>(blob.metadata());
    String version = metadata.remove(FORMAT);
    if (!FORMAT_VERSION.equals(version)) {
      throw RecordingException.at(
          where,
          "metadata " + FORMAT + "=" + FORMAT_VERSION,
          version == null ? "none, so this is not a capture" : version);
    }
    String crc = take(metadata, CRC, where);
    String found = hex(SafetensorsLayout.crc32c(blob.tensors()));
    if (!crc.equals(found)) {
      throw RecordingException.at(where, "tensors with CRC32C " + crc, found);
    }
    Capture.Builder builder = Capture.builder(take(metadata, MODEL, where));
    String id = take(metadata, ID, where);
    String time = take(metadata, TIME, where);
    try {
      builder.id(id).time(Instant.parse(time));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new RecordingException(where + ": " + e.getMessage(), e);
    }
    builder.targets(
        fromJson(TARGETS, take(metadata, TARGETS, where), new TypeReference<>() {}, where));
    String topK = take(metadata, TOP_K, where);
    List<List<Prediction>> samples = fromJson(TOP_K, topK, new TypeReference<>() {}, where);
    for (List<@Nullable Prediction> sample : samples) {
      if (sample.contains(null)) {
        throw RecordingException.at(where, "a JSON array in metadata '" + TOP_K + "'", topK);
      }
    }
    builder.topK(samples);
    metadata.forEach(builder::extra);
    blob.tensors().forEach(builder::tensor);
    return builder.build();
  }

  private static String take(Map<String, String> metadata, String key, String where)
      throws RecordingException {
    String value = metadata.remove(key);
    if (value == null) {
      throw RecordingException.at(where, "metadata '" + key + "'", "none");
    }
    return value;
  }

  private static <T> List<T> fromJson(
      String key, String text, TypeReference<List<T>> type, String where)
      throws RecordingException {
    List<@Nullable T> values;
    try {
      values = RecordingJsonReader.MAPPER.readValue(text, type);
    } catch (JsonProcessingException e) {
      throw new RecordingException(
          where + ": metadata '" + key + "' is malformed: " + e.getOriginalMessage(), e);
    }
    if (values == null || values.contains(null)) {
      throw RecordingException.at(where, "a JSON array in metadata '" + key + "'", text);
    }
    return values;
  }

  /** Eight digits. */
  private static String hex(int crc) {
    return HexFormat.of().toHexDigits(crc);
  }
}
