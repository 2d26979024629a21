package io.camhook.recording;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON objects that hold only strings, for packages that are loaded separately from the agent and
 * do not see its JSON library.
 */
public final class JsonStrings {
  private static final JsonFactory JSON = new JsonFactory();

  private JsonStrings() {}

  /** {@code {"key":"value",…}}. */
  public static String write(Map<String, String> strings) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      for (Map.Entry<String, String> each : strings.entrySet()) {
        json.writeStringField(each.getKey(), each.getValue());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  /**
   * The strings of an object; other values are left out.
   *
   * @throws IOException if it is not JSON
   */
  public static Map<String, String> read(byte[] text) throws IOException {
    Map<String, String> strings = new TreeMap<>();
    try (JsonParser json = JSON.createParser(text)) {
      while (json.nextToken() != null) {
        if (json.currentToken() == JsonToken.FIELD_NAME) {
          String key = json.currentName();
          String value = json.nextTextValue();
          if (value != null) {
            strings.put(key, value);
          }
        }
      }
    }
    return strings;
  }
}
