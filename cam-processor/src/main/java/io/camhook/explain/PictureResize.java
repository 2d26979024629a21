package io.camhook.explain;

/**
 * Resizes as {@code torchvision.transforms.Resize} does on pictures (Pillow's {@code BILINEAR}): a
 * triangle filter that widens when it shrinks, horizontally and then vertically, rounded to 8 bits
 * after each.
 */
final class PictureResize {
  private PictureResize() {}

  /** Values {@code [height, width, channels]} at another size. */
  static byte[] resize(
      byte[] values, int height, int width, int channels, int newHeight, int newWidth) {
    byte[] out = values;
    if (newWidth != width) {
      out = axis(out, height, width, newWidth, channels);
    }
    if (newHeight != height) {
      out = axis(out, 1, height, newHeight, newWidth * channels);
    }
    return out;
  }

  /** Resizes the middle one of three dimensions {@code [outer, n, inner]}. */
  private static byte[] axis(byte[] in, int outer, int n, int size, int inner) {
    byte[] out = new byte[Math.multiplyExact(outer * size, inner)];
    double scale = (double) n / size;
    double reach = Math.max(scale, 1);
    for (int o = 0; o < size; o++) {
      double centre = (o + 0.5) * scale;
      int from = Math.max(0, (int) (centre - reach + 0.5));
      int to = Math.min(n, (int) (centre + reach + 0.5));
      double[] weights = weights(centre, reach, from, to);
      for (int row = 0; row < outer; row++) {
        for (int i = 0; i < inner; i++) {
          double sum = 0.5;
          for (int x = from; x < to; x++) {
            sum += weights[x - from] * (in[(row * n + x) * inner + i] & 0xff);
          }
          out[(row * size + o) * inner + i] = (byte) Math.min(255, (int) sum);
        }
      }
    }
    return out;
  }

  private static double[] weights(double centre, double reach, int from, int to) {
    double[] weights = new double[to - from];
    double sum = 0;
    for (int x = from; x < to; x++) {
      double weight = Math.max(0, 1 - Math.abs((x + 0.5 - centre) / reach));
      weights[x - from] = weight;
      sum += weight;
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }
}
