package io.camhook.render;

/** The slices of a volume {@code [D,H,W]} side by side in one picture, row by row from slice 0. */
public final class SliceSheet {
  private static final int GAP = 2;

  private SliceSheet() {}

  /**
   * Paints a heatmap volume alone.
   *
   * @param heat 0..1, row-major {@code [depth, height, width]}
   */
  public static Picture of(float[] heat, int depth, int height, int width, ColourTable colours) {
    return sheet(
        depth, height, width, d -> colours.paint(slice(heat, d, height * width), width, height));
  }

  /**
   * Lays a heatmap volume over a grey volume.
   *
   * @param volume any values, scaled to grey between its smallest and largest
   * @param heat 0..1, of the same shape
   */
  public static Picture of(
      float[] volume, float[] heat, int depth, int height, int width, ColourTable colours) {
    Picture.requireSize("volume", volume.length, heat.length, width, height);
    byte[] grey = grey(volume);
    int size = height * width;
    return sheet(
        depth,
        height,
        width,
        d -> {
          byte[] one = new byte[size];
          System.arraycopy(grey, d * size, one, 0, size);
          Picture image = Picture.of(one, width, height, 1);
          return Overlay.of(image, slice(heat, d, size), colours, 0.5f);
        });
  }

  private interface Slice {
    Picture at(int depth);
  }

  private static Picture sheet(int depth, int height, int width, Slice slices) {
    int columns = (int) Math.ceil(Math.sqrt(depth));
    int rows = (depth + columns - 1) / columns;
    int sheetWidth = columns * (width + GAP) - GAP;
    int sheetHeight = rows * (height + GAP) - GAP;
    byte[] out = new byte[sheetWidth * sheetHeight * 3];
    for (int d = 0; d < depth; d++) {
      byte[] rgb = slices.at(d).rgb();
      int left = d % columns * (width + GAP);
      int top = d / columns * (height + GAP);
      for (int y = 0; y < height; y++) {
        System.arraycopy(rgb, y * width * 3, out, ((top + y) * sheetWidth + left) * 3, width * 3);
      }
    }
    return new Picture(sheetWidth, sheetHeight, out);
  }

  private static float[] slice(float[] volume, int d, int size) {
    float[] out = new float[size];
    System.arraycopy(volume, d * size, out, 0, size);
    return out;
  }

  static byte[] grey(float[] values) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float v : values) {
      min = Math.min(min, v);
      max = Math.max(max, v);
    }
    byte[] out = new byte[values.length];
    for (int i = 0; max > min && i < out.length; i++) {
      out[i] = (byte) Math.round(255 * (values[i] - min) / (max - min));
    }
    return out;
  }
}
