package io.camhook.render;

import java.awt.Color;
import java.util.List;

/**
 * Several heatmaps laid over one picture, each in its own colour: a pixel has the colour of the
 * heatmap that is largest there (the first among equals), with brightness equal to its value. The
 * hues are evenly spaced, so that a legend can be made from {@link #colour}.
 */
public final class ConceptOverlay {

  private ConceptOverlay() {}

  /** The colour, 0xRRGGBB, of heatmap {@code index} of {@code count}. */
  public static int colour(int index, int count) {
    return Color.HSBtoRGB((float) index / count, 1, 1) & 0xffffff;
  }

  /**
   * Blends the heatmaps and the picture, both at half weight.
   *
   * @param heats each 0..1, row-major, of the picture's size
   */
  public static Picture of(Picture image, List<float[]> heats) {
    int pixels = image.width() * image.height();
    for (float[] heat : heats) {
      Picture.requireSize("heatmap", heat.length, pixels, image.width(), image.height());
    }
    byte[] out = new byte[3 * pixels];
    for (int p = 0; p < pixels; p++) {
      int best = 0;
      for (int k = 1; k < heats.size(); k++) {
        best = heats.get(k)[p] > heats.get(best)[p] ? k : best;
      }
      float heat = heats.get(best)[p];
      int colour = colour(best, heats.size());
      for (int c = 0; c < 3; c++) {
        float concept = heat * (colour >> 8 * (2 - c) & 0xff);
        out[3 * p + c] = (byte) Math.round((concept + (image.rgb()[3 * p + c] & 0xff)) / 2);
      }
    }
    return new Picture(image.width(), image.height(), out);
  }
}
