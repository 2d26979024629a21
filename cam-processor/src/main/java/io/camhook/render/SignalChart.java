package io.camhook.render;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;

/**
 * A 1-D signal as one line per channel over a background coloured by its heatmap. Drawn headless;
 * needs no fonts.
 */
public final class SignalChart {
  private static final int LEAST_WIDTH = 512;
  private static final int LANE_HEIGHT = 64;
  private static final float MARGIN = 0.1f;

  private SignalChart() {}

  /**
   * Draws.
   *
   * @param signal row-major {@code [channels, length]}
   * @param heat 0..1, {@code [length]}
   */
  public static Picture of(float[] signal, int channels, float[] heat, ColourTable colours) {
    int length = heat.length;
    if (signal.length != channels * length || length == 0) {
      throw new IllegalArgumentException(
          "%d channels of length %d need %d values, found %d"
              .formatted(channels, length, channels * length, signal.length));
    }
    int width = Math.max(LEAST_WIDTH, length);
    int height = channels * LANE_HEIGHT;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < width; x++) {
      int index = ColourTable.index(heat[(int) ((long) x * length / width)]);
      int colour =
          lightened(colours.component(index, 0)) << 16
              | lightened(colours.component(index, 1)) << 8
              | lightened(colours.component(index, 2));
      for (int y = 0; y < height; y++) {
        image.setRGB(x, y, colour);
      }
    }
    Graphics2D pen = image.createGraphics();
    try {
      pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      pen.setColor(Color.BLACK);
      pen.setStroke(new BasicStroke(1.5f));
      for (int c = 0; c < channels; c++) {
        pen.draw(line(signal, c, length, width));
      }
    } finally {
      pen.dispose();
    }
    return Picture.of(image);
  }

  /** Halfway to white, so that the line stays readable. */
  private static int lightened(int component) {
    return (component + 255) / 2;
  }

  private static Path2D line(float[] signal, int channel, int length, int width) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int t = 0; t < length; t++) {
      min = Math.min(min, signal[channel * length + t]);
      max = Math.max(max, signal[channel * length + t]);
    }
    float range = max > min ? max - min : 1;
    Path2D path = new Path2D.Float();
    for (int t = 0; t < length; t++) {
      double x = (t + 0.5) * width / length;
      double level = (signal[channel * length + t] - min) / range;
      double y = (channel + 1 - MARGIN - level * (1 - 2 * MARGIN)) * LANE_HEIGHT;
      if (t == 0) {
        path.moveTo(x, y);
      } else {
        path.lineTo(x, y);
      }
    }
    return path;
  }
}
