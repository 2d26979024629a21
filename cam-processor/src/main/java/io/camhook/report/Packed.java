package io.camhook.report;

import java.util.Arrays;
import java.util.zip.Deflater;

/**
 * Bytes as a raw deflate stream (RFC 1951): the input of the page's {@code
 * DecompressionStream('deflate-raw')}.
 */
final class Packed {
  private Packed() {}

  static byte[] of(byte[] bytes) {
    // fast: the last few percent of size would double the time of a report
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    try {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] out = new byte[bytes.length / 2 + 64];
      int length = deflater.deflate(out);
      while (!deflater.finished()) {
        out = Arrays.copyOf(out, 2 * out.length);
        length += deflater.deflate(out, length, out.length - length);
      }
      return Arrays.copyOf(out, length);
    } finally {
      deflater.end();
    }
  }
}
