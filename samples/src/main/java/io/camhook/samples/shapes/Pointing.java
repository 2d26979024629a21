package io.camhook.samples.shapes;

import io.camhook.samples.pictures.Mask;

/** One round of the pointing game. */
final class Pointing {
  private Pointing() {}

  /**
   * Whether the map's maximum lies inside the mask, after bilinear resizing to the mask's size
   * (half-pixel centres).
   *
   * @param values {@code height × width}, row-major; at least 2 each
   */
  static boolean atMaximum(float[] values, int width, int height, Mask mask) {
    float best = Float.NEGATIVE_INFINITY;
    int bestX = 0;
    int bestY = 0;
    for (int y = 0; y < mask.height(); y++) {
      for (int x = 0; x < mask.width(); x++) {
        float value =
            bilinear(
                values,
                width,
                height,
                (x + 0.5f) * width / mask.width() - 0.5f,
                (y + 0.5f) * height / mask.height() - 0.5f);
        if (value > best) {
          best = value;
          bestX = x;
          bestY = y;
        }
      }
    }
    return mask.contains(bestX, bestY);
  }

  private static float bilinear(float[] values, int width, int height, float x, float y) {
    float u = Math.max(0, Math.min(width - 1, x));
    float v = Math.max(0, Math.min(height - 1, y));
    int left = Math.min((int) u, width - 2);
    int top = Math.min((int) v, height - 2);
    float right = u - left;
    float below = v - top;
    int at = top * width + left;
    return (1 - below) * ((1 - right) * values[at] + right * values[at + 1])
        + below * ((1 - right) * values[at + width] + right * values[at + width + 1]);
  }
}
