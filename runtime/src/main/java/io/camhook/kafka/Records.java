package io.camhook.kafka;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * The form of a capture on a topic: its id as the key, its safetensors blob as the value. The
 * header {@code camhook} is {@code capture}, or {@code pointer} where the value is JSON that names
 * a file with the blob: {@code {"file":"ID.safetensors","bytes":1234}}.
 */
final class Records {
  private static final String FORM = "camhook";
  private static final String MODEL = "model";
  private static final String CAPTURE = "capture";
  private static final String POINTER = "pointer";
  private static final JsonFactory JSON = new JsonFactory();

  /** More than what a record and the batch around it have besides key, value and headers. */
  private static final int OVERHEAD = 256;

  private Records() {}

  static ProducerRecord<byte[], byte[]> capture(
      String topic, String id, String model, byte[] blob) {
    return record(topic, id, model, CAPTURE, blob);
  }

  static ProducerRecord<byte[], byte[]> pointer(
      String topic, String id, String model, String file, long bytes) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("file", file);
      json.writeNumberField("bytes", bytes);
      json.writeEndObject();
    }
    return record(topic, id, model, POINTER, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static ProducerRecord<byte[], byte[]> record(
      String topic, String id, String model, String form, byte[] value) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, id.getBytes(StandardCharsets.UTF_8), value);
    record.headers().add(FORM, form.getBytes(StandardCharsets.UTF_8));
    record.headers().add(MODEL, model.getBytes(StandardCharsets.UTF_8));
    return record;
  }

  /** At least the bytes of a batch that holds a blob alone, not compressed. */
  static long size(String id, String model, long blobBytes) {
    return blobBytes + 4L * (id.length() + model.length()) + OVERHEAD;
  }

  static boolean isPointer(Headers headers) {
    Header form = headers.lastHeader(FORM);
    return form != null && POINTER.equals(new String(form.value(), StandardCharsets.UTF_8));
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
