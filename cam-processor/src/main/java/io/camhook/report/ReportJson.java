package io.camhook.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * JSON that can stand inside an HTML {@code <script>} element: {@code <} is always escaped, so no
 * text of a recording can end the element or open a comment.
 */
final class ReportJson {
  private static final JsonFactory FACTORY = new JsonFactory();
  private static final int DIGITS = 6;

  /** Powers of ten, from 1 to 1e11: six digits after the five zeros of 1e-6. */
  private static final double[] POWERS = powers();

  /** Sizes below {@code LARGEST[k]} need more than k decimals for six digits: 1e5, 1e4 … 1e-6. */
  private static final double[] LARGEST = largest();

  private ReportJson() {}

  private static double[] powers() {
    double[] powers = new double[2 * DIGITS];
    for (int k = 0; k < powers.length; k++) {
      powers[k] = Double.parseDouble("1e" + k);
    }
    return powers;
  }

  private static double[] largest() {
    double[] largest = new double[2 * DIGITS];
    for (int k = 0; k < largest.length; k++) {
      largest[k] = Double.parseDouble("1e" + (DIGITS - 1 - k));
    }
    return largest;
  }

  /** Writes the content of one JSON text. */
  interface Content {
    void writeTo(JsonGenerator json) throws IOException;
  }

  /** The text in UTF-8. */
  static byte[] bytes(Content content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 13);
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      json.setCharacterEscapes(new NoMarkup());
      content.writeTo(json);
    } catch (IOException e) {
      throw new UncheckedIOException("in memory, no device can fail", e);
    }
    return out.toByteArray();
  }

  /** Bytes as a string in base64. */
  static void base64(JsonGenerator json, byte[] bytes) throws IOException {
    byte[] text = Base64.getEncoder().encode(bytes);
    json.writeRawUTF8String(text, 0, text.length);
  }

  static void base64(JsonGenerator json, String field, byte[] bytes) throws IOException {
    json.writeFieldName(field);
    base64(json, bytes);
  }

  /** A number with at most six significant digits; null when it is not finite. */
  static void number(JsonGenerator json, double value) throws IOException {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      json.writeNull();
    } else if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      json.writeNumber((long) value);
    } else if (Math.abs(value) >= 1e-6 && Math.abs(value) < 1e6) {
      json.writeNumber(sixDigits(value));
    } else {
      json.writeNumber(new BigDecimal(value).round(new MathContext(DIGITS)).toString());
    }
  }

  /**
   * A size from 1e-6 up to 1e6 without an exponent: an integer of six digits, and the position of
   * its decimal point. {@code BigDecimal} takes twenty times as long, and a report has a million
   * numbers.
   */
  private static String sixDigits(double value) {
    double size = Math.abs(value);
    int decimals = 0; // 10^decimals * size has six digits before the point
    while (decimals < LARGEST.length - 1 && size < LARGEST[decimals]) {
      decimals++;
    }
    long digits = Math.round(size * POWERS[decimals]);
    while (decimals > 0 && digits % 10 == 0) {
      digits /= 10;
      decimals--;
    }
    StringBuilder text = new StringBuilder(16).append(digits);
    if (decimals > 0) {
      while (text.length() <= decimals) {
        text.insert(0, '0');
      }
      text.insert(text.length() - decimals, '.');
    }
    return value < 0 ? text.insert(0, '-').toString() : text.toString();
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
