package io.camhook.kafka;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * The form of a capture on a topic: its id as the key, its safetensors blob as the value. The
 * header {@code camhook} is {@code capture}, or {@code pointer} where the value is JSON that names
 * a file with the blob: {@code {"file":"ID.safetensors","bytes":1234}}. The header {@code types} is
 * JSON of the types of the recorded modules, by path, which a recording has in its manifest.
 */
final class Records {
  private static final String FORM = "camhook";
  private static final String MODEL = "model";
  private static final String TYPES = "types";
  private static final String CAPTURE = "capture";
  private static final String POINTER = "pointer";
  private static final JsonFactory JSON = new JsonFactory();

  /** More than what a record and the batch around it have besides key, value and headers. */
  private static final int OVERHEAD = 256;

  private Records() {}

  static ProducerRecord<byte[], byte[]> capture(
      String topic, Capture capture, byte[] blob, Map<String, String> types) throws IOException {
    return record(topic, capture, CAPTURE, blob, types);
  }

  static ProducerRecord<byte[], byte[]> pointer(
      String topic, Capture capture, String file, long bytes, Map<String, String> types)
      throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("file", file);
      json.writeNumberField("bytes", bytes);
      json.writeEndObject();
    }
    return record(topic, capture, POINTER, utf8(text.toString()), types);
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
      StringWriter text = new StringWriter();
      try (JsonGenerator json = JSON.createGenerator(text)) {
        json.writeStartObject();
        for (Map.Entry<String, String> each : recorded.entrySet()) {
          json.writeStringField(each.getKey(), each.getValue());
        }
        json.writeEndObject();
      }
      record.headers().add(TYPES, utf8(text.toString()));
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
    Map<String, String> types = new TreeMap<>();
    Header header = headers.lastHeader(TYPES);
    if (header == null) {
      return types;
    }
    try (JsonParser json = JSON.createParser(header.value())) {
      while (json.nextToken() != null) {
        if (json.currentToken() == JsonToken.FIELD_NAME) {
          String path = json.currentName();
          String type = json.nextTextValue();
          if (type != null) {
            types.put(path, type);
          }
        }
      }
    } catch (IOException e) {
      return types; // without types the shapes decide
    }
    return types;
  }

  /**
   * The name of the file that a pointer means.
   *
   * @throws IOException if it is none
   */
  static String file(byte[] pointer) throws IOException {
    try (JsonParser json = JSON.createParser(pointer)) {
      while (json.nextToken() != null) {
        if (json.currentToken() == JsonToken.FIELD_NAME && "file".equals(json.currentName())) {
          String file = json.nextTextValue();
          if (file != null && file.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            return file;
          }
        }
      }
    }
    throw new IOException("a pointer record that names no file");
  }
}
