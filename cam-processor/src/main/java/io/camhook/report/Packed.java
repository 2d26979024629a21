package io.camhook.report;

import java.io.ByteArrayOutputStream;
import java.util.Base64;
import java.util.zip.Deflater;

/**
 * Bytes as base64 of a raw deflate stream (RFC 1951): the input of the page's {@code
 * DecompressionStream('deflate-raw')}.
 */
final class Packed {
  private Packed() {}

  static String base64(byte[] bytes) {
    // fast: the last few percent of size would cost twice the time of a report
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    try {
      deflater.setInput(bytes);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 2 + 16);
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return Base64.getEncoder().encodeToString(out.toByteArray());
    } finally {
      deflater.end();
    }
  }
}
