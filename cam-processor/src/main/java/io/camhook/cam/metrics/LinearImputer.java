package io.camhook.cam.metrics;

import java.util.Arrays;

/**
 * ROAD's imputation without noise: every missing pixel becomes the weighted mean of its eight
 * neighbours (1/6 beside, 1/12 across a corner; neighbours outside the picture are left out),
 * missing ones included, which is one sparse linear system per channel (Rong et al., "A Consistent
 * and Efficient Evaluation Strategy for Attribution Methods", ICML 2022).
 *
 * <p>Solved in double precision by conjugate gradients: the system is symmetric, and positive
 * definite as soon as one pixel is known. If none is, every constant picture solves it: 0 is taken,
 * the mean colour of a normalised picture, as the reference's solver does.
 */
final class LinearImputer {
  private static final int[] DY = {0, 0, 1, -1, 1, 1, -1, -1};
  private static final int[] DX = {1, -1, 0, 0, 1, -1, 1, -1};
  private static final double BESIDE = 1 / 6.0;
  private static final double ACROSS = 1 / 12.0;
  private static final double TOLERANCE = 1e-18;
  private static final int OUTSIDE = -1;

  private final boolean[] missing;

  /** Pixels that are imputed: unknown u is pixel {@code unknowns[u]}. */
  private final int[] unknowns;

  /**
   * Per unknown its eight neighbours: an unknown's number, {@code -2 - pixel}, or {@link #OUTSIDE}.
   */
  private final int[] neighbours;

  /** Per unknown the sum of the weights of its neighbours inside the picture. */
  private final double[] inside;

  /**
   * Prepares for one mask.
   *
   * @param missing {@code [H,W]}: true where a pixel is imputed
   */
  LinearImputer(boolean[] missing, int height, int width) {
    this.missing = missing;
    int[] number = new int[missing.length];
    int[] found = new int[missing.length];
    int n = 0;
    for (int p = 0; p < missing.length; p++) {
      if (missing[p]) {
        number[p] = n;
        found[n++] = p;
      }
    }
    this.unknowns = Arrays.copyOf(found, n);
    this.neighbours = new int[8 * n];
    this.inside = new double[n];
    for (int u = 0; u < n; u++) {
      for (int d = 0; d < 8; d++) {
        int y = unknowns[u] / width + DY[d];
        int x = unknowns[u] % width + DX[d];
        int q = y * width + x;
        boolean outside = y < 0 || x < 0 || y >= height || x >= width;
        neighbours[8 * u + d] = outside ? OUTSIDE : missing[q] ? number[q] : -2 - q;
        inside[u] += outside ? 0 : weight(d);
      }
    }
  }

  /** Imputes every channel of {@code [C,H,W]}; returns a new array. */
  float[] impute(float[] image) {
    float[] out = image.clone();
    if (unknowns.length == missing.length) {
      Arrays.fill(out, 0);
    }
    if (unknowns.length == 0 || unknowns.length == missing.length) {
      return out;
    }
    for (int from = 0; from < image.length; from += missing.length) {
      double[] solution = solve(image, from);
      for (int u = 0; u < unknowns.length; u++) {
        out[from + unknowns[u]] = (float) solution[u];
      }
    }
    return out;
  }

  private double[] solve(float[] image, int from) {
    int n = unknowns.length;
    double[] b = rightHandSide(image, from);
    double[] x = new double[n];
    Arrays.fill(x, knownMean(image, from));
    double[] product = new double[n];
    multiply(x, product);
    double[] residual = new double[n];
    double scale = 0;
    double norm = 0;
    for (int u = 0; u < n; u++) {
      residual[u] = b[u] - product[u];
      norm += residual[u] * residual[u];
      scale += b[u] * b[u];
    }
    double[] direction = residual.clone();
    double goal = TOLERANCE * Math.max(scale, 1e-30);
    for (int step = 0; norm > goal && step < 20 * n; step++) {
      multiply(direction, product);
      double along = 0;
      for (int u = 0; u < n; u++) {
        along += direction[u] * product[u];
      }
      double length = norm / along;
      double next = 0;
      for (int u = 0; u < n; u++) {
        x[u] += length * direction[u];
        residual[u] -= length * product[u];
        next += residual[u] * residual[u];
      }
      for (int u = 0; u < n; u++) {
        direction[u] = residual[u] + next / norm * direction[u];
      }
      norm = next;
    }
    return x;
  }

  private double knownMean(float[] image, int from) {
    double sum = 0;
    for (int p = 0; p < missing.length; p++) {
      sum += missing[p] ? 0 : image[from + p];
    }
    return sum / (missing.length - unknowns.length);
  }

  /** The weighted sum of the known neighbours' values. */
  private double[] rightHandSide(float[] image, int from) {
    double[] b = new double[unknowns.length];
    for (int i = 0; i < neighbours.length; i++) {
      if (neighbours[i] < OUTSIDE) {
        b[i / 8] += weight(i % 8) * image[from - 2 - neighbours[i]];
      }
    }
    return b;
  }

  /** Weights inside the picture times x, minus the weighted unknown neighbours. */
  private void multiply(double[] x, double[] out) {
    for (int u = 0, i = 0; u < x.length; u++) {
      double sum = inside[u] * x[u];
      for (int d = 0; d < 8; d++, i++) {
        if (neighbours[i] >= 0) {
          sum -= weight(d) * x[neighbours[i]];
        }
      }
      out[u] = sum;
    }
  }

  private static double weight(int d) {
    return d < 4 ? BESIDE : ACROSS;
  }
}
