package io.camhook.render;

import java.util.Arrays;

/**
 * Resizes as {@code torchvision.transforms.Resize} does on pictures (Pillow's {@code BILINEAR}): a
 * triangle filter that widens when it shrinks, horizontally and then vertically, rounded to 8 bits
 * after each. As in Pillow the weights are integers, in units of 2<sup>-22</sup>.
 */
public final class PictureResize {
  private static final int PRECISION = 22;

  private PictureResize() {}

  /** Values {@code [height, width, channels]} at another size. */
  public static byte[] resize(
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
    int[] from = new int[size];
    int[][] weights = new int[size][];
    for (int o = 0; o < size; o++) {
      double centre = (o + 0.5) * scale;
      from[o] = Math.max(0, (int) (centre - reach + 0.5));
      int to = Math.min(n, (int) (centre + reach + 0.5));
      weights[o] = weights(centre, reach, from[o], to);
    }
    int[] sums = new int[inner];
    for (int row = 0; row < outer; row++) {
      for (int o = 0; o < size; o++) {
        int at = (row * n + from[o]) * inner;
        int to = (row * size + o) * inner;
        if (inner == 3) {
          three(in, at, weights[o], out, to);
        } else {
          many(in, at, weights[o], sums, out, to);
        }
      }
    }
    return out;
  }

  /** A pixel of three channels. */
  private static void three(byte[] in, int at, int[] weights, byte[] out, int to) {
    int red = 1 << PRECISION - 1;
    int green = red;
    int blue = red;
    for (int k = 0, i = at; k < weights.length; k++, i += 3) {
      red += weights[k] * (in[i] & 0xff);
      green += weights[k] * (in[i + 1] & 0xff);
      blue += weights[k] * (in[i + 2] & 0xff);
    }
    out[to] = level(red);
    out[to + 1] = level(green);
    out[to + 2] = level(blue);
  }

  /** Neighbours that have the same weights, such as all of a line. */
  private static void many(byte[] in, int at, int[] weights, int[] sums, byte[] out, int to) {
    Arrays.fill(sums, 1 << PRECISION - 1);
    int k = 0;
    for (; k + 1 < weights.length; k += 2) { // two at a time: half the memory traffic of sums
      int one = weights[k];
      int other = weights[k + 1];
      int base = at + k * sums.length;
      int next = base + sums.length;
      for (int i = 0; i < sums.length; i++) {
        sums[i] += one * (in[base + i] & 0xff) + other * (in[next + i] & 0xff);
      }
    }
    if (k < weights.length) {
      int one = weights[k];
      int base = at + k * sums.length;
      for (int i = 0; i < sums.length; i++) {
        sums[i] += one * (in[base + i] & 0xff);
      }
    }
    for (int i = 0; i < sums.length; i++) {
      out[to + i] = level(sums[i]);
    }
  }

  private static byte level(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
  }

  private static int[] weights(double centre, double reach, int from, int to) {
    double[] weights = new double[to - from];
    double sum = 0;
    for (int x = from; x < to; x++) {
      double weight = Math.max(0, 1 - Math.abs((x + 0.5 - centre) / reach));
      weights[x - from] = weight;
      sum += weight;
    }
    int[] fixed = new int[weights.length];
    for (int i = 0; i < weights.length; i++) {
      fixed[i] = (int) (0.5 + weights[i] / sum * (1 << PRECISION));
    }
    return fixed;
  }
}
