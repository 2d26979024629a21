package io.camhook.kafka;

import io.camhook.recording.Capture;
import io.camhook.recording.JsonStrings;
import io.camhook.recording.LayerOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * How a capture is stored on a topic: its id as the key, its safetensors blob as the value. The
 * header {@code camhook} is {@code capture}, or {@code pointer} where the value is JSON that names
 * a file with the blob: {@code {"file":"ID.safetensors"}}. The header {@code types} is JSON with
 * the type of each recorded module by path; a recording has this in its manifest.
 */
final class Records {
  private static final String FORM = "camhook";
  private static final String MODEL = "model";
  private static final String TYPES = "types";
  private static final String CAPTURE = "capture";
  private static final String POINTER = "pointer";

  /** More than what a record and the batch around it have besides key, value and headers. */
  private static final int OVERHEAD = 256;

  private Records() {}

  static ProducerRecord<byte[], byte[]> capture(
      String topic, Capture capture, byte[] blob, Map<String, String> types) throws IOException {
    return record(topic, capture, CAPTURE, blob, types);
  }

  static ProducerRecord<byte[], byte[]> pointer(
      String topic, Capture capture, String file, Map<String, String> types) throws IOException {
    return record(topic, capture, POINTER, utf8(JsonStrings.write(Map.of("file", file))), types);
  }

  private static ProducerRecord<byte[], byte[]> record(
      String topic, Capture capture, String form, byte[] value, Map<String, String> types)
      throws IOException {
    ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, utf8(capture.id()), value);
    record.headers().add(FORM, utf8(form));
    record.headers().add(MODEL, utf8(capture.model()));
    Map<String, String> recorded = new TreeMap<>();
    for (LayerOutput layer : capture.layers()) {
      String type = types.get(layer.path());
      if (type != null) {
        recorded.put(layer.path(), type);
      }
    }
    if (!recorded.isEmpty()) {
      record.headers().add(TYPES, utf8(JsonStrings.write(recorded)));
    }
    return record;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** At least the bytes of a batch that holds this record alone, not compressed. */
  static long size(ProducerRecord<byte[], byte[]> record) {
    long bytes = OVERHEAD + record.key().length + record.value().length;
    for (Header header : record.headers()) {
      bytes += header.key().length() + header.value().length + 10;
    }
    return bytes;
  }

  static boolean isPointer(Headers headers) {
    Header form = headers.lastHeader(FORM);
    return form != null && POINTER.equals(new String(form.value(), StandardCharsets.UTF_8));
  }

  /** Types of the recorded modules, by path, as far as they are known. */
  static Map<String, String> types(Headers headers) {
    Header header = headers.lastHeader(TYPES);
    try {
      return header == null ? Map.of() : JsonStrings.read(header.value());
    } catch (IOException e) {
      return Map.of(); // without types, the shapes decide
    }
  }

  /**
   * The name of the file that a pointer refers to.
   *
   * @throws IOException if it is not a pointer
   */
  static String file(byte[] pointer) throws IOException {
    String file = JsonStrings.read(pointer).get("file");
    if (file != null && file.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      return file;
    }
    throw new IOException("a pointer record that names no file");
  }
}
