package io.camhook.render;

/**
 * Cubic B-spline interpolation of row-major arrays of any rank with the corners aligned: source
 * position of output {@code o} is {@code o * (in - 1) / (out - 1)}, the array mirrored about the
 * centres of its edge elements. It is {@code scipy.ndimage.zoom} of order 3, which pytorch-grad-cam
 * uses for volumes. It overshoots: values may leave the range of the input.
 */
public final class CubicZoom {
  /** Pole of the cubic B-spline's recursive filter (Unser, 1999). */
  private static final double POLE = Math.sqrt(3) - 2;

  private CubicZoom() {}

  /** Resizes; returns a new array. */
  public static float[] resize(float[] values, int[] from, int[] to) {
    if (from.length != to.length) {
      throw new IllegalArgumentException(
          "cannot resize rank " + from.length + " to rank " + to.length);
    }
    double[] current = new double[values.length];
    for (int i = 0; i < current.length; i++) {
      current[i] = values[i];
    }
    int inner = 1;
    for (int d = from.length - 1; d >= 0; d--) {
      int outer = 1;
      for (int e = 0; e < d; e++) {
        outer *= from[e];
      }
      current = axis(current, outer, from[d], to[d], inner);
      inner *= to[d];
    }
    float[] out = new float[current.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) current[i];
    }
    return out;
  }

  private static double[] axis(double[] in, int outer, int n, int size, int inner) {
    double[] out = new double[outer * size * inner];
    double[] line = new double[n];
    for (int b = 0; b < outer; b++) {
      for (int i = 0; i < inner; i++) {
        for (int p = 0; p < n; p++) {
          line[p] = in[(b * n + p) * inner + i];
        }
        coefficients(line);
        for (int o = 0; o < size; o++) {
          double at = size == 1 ? 0 : o * (double) (n - 1) / (size - 1);
          out[(b * size + o) * inner + i] = evaluate(line, at);
        }
      }
    }
    return out;
  }

  /** Samples to B-spline coefficients, in place. */
  private static void coefficients(double[] c) {
    int n = c.length;
    if (n < 2) {
      return;
    }
    double gain = (1 - POLE) * (1 - 1 / POLE);
    for (int i = 0; i < n; i++) {
      c[i] *= gain;
    }
    // The mirrored signal has period 2n - 2: sum its geometric series exactly.
    double power = POLE;
    double last = Math.pow(POLE, n - 1);
    double sum = c[0] + last * c[n - 1];
    double mirrored = last * last / POLE;
    for (int i = 1; i < n - 1; i++) {
      sum += (power + mirrored) * c[i];
      power *= POLE;
      mirrored /= POLE;
    }
    c[0] = sum / (1 - last * last);
    for (int i = 1; i < n; i++) {
      c[i] += POLE * c[i - 1];
    }
    c[n - 1] = POLE / (POLE * POLE - 1) * (c[n - 1] + POLE * c[n - 2]);
    for (int i = n - 2; i >= 0; i--) {
      c[i] = POLE * (c[i + 1] - c[i]);
    }
  }

  private static double evaluate(double[] c, double at) {
    int base = (int) Math.floor(at);
    double t = at - base;
    double u = 1 - t;
    return (u * u * u * mirrored(c, base - 1)
            + (4 - 6 * t * t + 3 * t * t * t) * mirrored(c, base)
            + (4 - 6 * u * u + 3 * u * u * u) * mirrored(c, base + 1)
            + t * t * t * mirrored(c, base + 2))
        / 6;
  }

  private static double mirrored(double[] c, int i) {
    if (c.length == 1) {
      return c[0];
    }
    int period = 2 * c.length - 2;
    int folded = Math.floorMod(i, period);
    return c[folded < c.length ? folded : period - folded];
  }
}
