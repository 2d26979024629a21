package io.camhook.render;

import java.util.Locale;

/**
 * A picture as text: with colours, two pixels per character (the upper half block ▀ in one colour
 * on another, 24 bits); without, one shade of grey per character.
 */
public final class TerminalPicture {
  private static final String SHADES = " .:-=+*#%@";
  private static final String RESET = "\u001b[0m";

  private TerminalPicture() {}

  /** In colours, {@code columns} wide. */
  public static String coloured(Picture picture, int columns) {
    int rows = Math.max(1, (int) Math.round((double) columns * picture.height() / picture.width()));
    Picture shown = picture.resized(columns, rows + rows % 2);
    StringBuilder text = new StringBuilder();
    for (int y = 0; y < shown.height(); y += 2) {
      for (int x = 0; x < shown.width(); x++) {
        text.append(colour(shown, x, y, 38)).append(colour(shown, x, y + 1, 48)).append('▀');
      }
      text.append(RESET).append('\n');
    }
    return text.toString();
  }

  private static String colour(Picture picture, int x, int y, int kind) {
    int at = (y * picture.width() + x) * 3;
    byte[] rgb = picture.rgb();
    return String.format(
        Locale.ROOT,
        "\u001b[%d;2;%d;%d;%dm",
        kind,
        rgb[at] & 0xff,
        rgb[at + 1] & 0xff,
        rgb[at + 2] & 0xff);
  }

  /**
   * Values from 0 to 1 as shades, dark to light; a character is twice as high as it is wide.
   *
   * @param shape {@code [H,W]}
   */
  public static String shades(float[] values, int[] shape, int columns) {
    int rows = Math.max(1, (int) Math.round(0.5 * columns * shape[0] / shape[1]));
    float[] shown = Bilinear.resize(values, shape, new int[] {rows, columns});
    StringBuilder text = new StringBuilder();
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x++) {
        float value = Math.min(1, Math.max(0, shown[y * columns + x]));
        text.append(SHADES.charAt(Math.round(value * (SHADES.length() - 1))));
      }
      text.append('\n');
    }
    return text.toString();
  }
}
