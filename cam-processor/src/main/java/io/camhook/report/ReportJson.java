package io.camhook.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * JSON that can stand inside an HTML {@code <script>} element: {@code <} is always escaped, so no
 * text of a recording can end the element or open a comment.
 */
final class ReportJson {
  private static final JsonFactory FACTORY = new JsonFactory();

  private ReportJson() {}

  /** Writes the content of one JSON text. */
  interface Content {
    void writeTo(JsonGenerator json) throws IOException;
  }

  static String text(Content content) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      json.setCharacterEscapes(new NoMarkup());
      content.writeTo(json);
    } catch (IOException e) {
      throw new UncheckedIOException("in memory, no device can fail", e);
    }
    return out.toString();
  }

  /** A number with at most six significant digits; null when it is not finite. */
  static void number(JsonGenerator json, double value) throws IOException {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      json.writeNull();
    } else if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      json.writeNumber((long) value);
    } else {
      json.writeNumber(
          new java.math.BigDecimal(value).round(new java.math.MathContext(6)).toString());
    }
  }

  static void number(JsonGenerator json, String field, double value) throws IOException {
    json.writeFieldName(field);
    number(json, value);
  }

  private static final class NoMarkup extends CharacterEscapes {
    @Override
    public int[] getEscapeCodesForAscii() {
      int[] escapes = CharacterEscapes.standardAsciiEscapesForJSON();
      escapes['<'] = CharacterEscapes.ESCAPE_CUSTOM;
      return escapes;
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int ch) {
      // also asked for every character beyond ASCII, which stays as it is
      return ch == '<' ? new SerializedString("\\u003C") : null;
    }
  }
}
