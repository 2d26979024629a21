package io.camhook.render;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Colours for 0..1, with exactly OpenCV's values. Thread-safe. */
public enum ColourTable {
  JET,
  VIRIDIS,
  TURBO,
  INFERNO,
  HOT;

  private static final int SIZE = 256;

  private final byte[] rgb;

  ColourTable() {
    String resource = name().toLowerCase(java.util.Locale.ROOT) + ".hex";
    try (InputStream in = ColourTable.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("missing in the jar: " + resource);
      }
      String hex = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      this.rgb = HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Row of the table for a value: {@code 255 v}, truncated, as {@code np.uint8(255 * v)}; clamped.
   */
  static int index(float value) {
    return Math.max(0, Math.min(SIZE - 1, (int) (255f * value)));
  }

  /** 0..255 of channel 0 (red), 1 (green) or 2 (blue) of row {@code index}. */
  int component(int index, int channel) {
    return rgb[index * 3 + channel] & 0xff;
  }

  /** A copy of the 256 RGB triplets. */
  public byte[] triplets() {
    return rgb.clone();
  }

  /** Paints a map of 0..1, row-major {@code [height, width]}. */
  public Picture paint(float[] heat, int width, int height) {
    Picture.requireSize("map", heat.length, width * height, width, height);
    byte[] out = new byte[heat.length * 3];
    for (int i = 0; i < heat.length; i++) {
      System.arraycopy(rgb, index(heat[i]) * 3, out, i * 3, 3);
    }
    return new Picture(width, height, out);
  }
}
