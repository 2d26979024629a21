package io.camhook.cam.metrics;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * ROAD's imputation without noise: every missing pixel becomes the weighted mean of its eight
 * neighbours (1/6 beside, 1/12 across a corner; neighbours outside the picture are left out),
 * missing ones included, which is one sparse linear system per channel (Rong et al., "A Consistent
 * and Efficient Evaluation Strategy for Attribution Methods", ICML 2022).
 *
 * <p>Solved in double precision by conjugate gradients: the system is symmetric, and positive
 * definite as soon as one pixel is known. If none is, the picture is left as it is.
 */
final class LinearImputer {
  private static final int[] DY = {0, 0, 1, -1, 1, 1, -1, -1};
  private static final int[] DX = {1, -1, 0, 0, 1, -1, 1, -1};
  private static final double BESIDE = 1 / 6.0;
  private static final double ACROSS = 1 / 12.0;
  private static final double TOLERANCE = 1e-20;

  private final int height;
  private final int width;
  private final boolean[] missing;
  private final int[] unknowns;

  /**
   * Prepares for one mask.
   *
   * @param missing {@code [H,W]}: true where a pixel is imputed
   */
  LinearImputer(boolean[] missing, int height, int width) {
    this.missing = missing;
    this.height = height;
    this.width = width;
    int[] found = new int[missing.length];
    int n = 0;
    for (int p = 0; p < missing.length; p++) {
      if (missing[p]) {
        found[n++] = p;
      }
    }
    this.unknowns = Arrays.copyOf(found, n);
  }

  /** Imputes every channel of {@code [C,H,W]}; returns a new array. */
  float[] impute(float[] image) {
    float[] out = image.clone();
    if (unknowns.length == 0 || unknowns.length == missing.length) {
      return out;
    }
    int size = height * width;
    for (int from = 0; from < image.length; from += size) {
      double[] solution = solve(image, from);
      for (int p : unknowns) {
        out[from + p] = (float) solution[p];
      }
    }
    return out;
  }

  private double[] solve(float[] image, int from) {
    double[] x = new double[missing.length];
    double[] b = new double[missing.length];
    double mean = 0;
    for (int p = 0; p < missing.length; p++) {
      mean += missing[p] ? 0 : image[from + p];
    }
    mean /= missing.length - unknowns.length;
    for (int p : unknowns) {
      x[p] = mean;
      b[p] = neighbours(p, null, image, from);
    }
    double[] residual = new double[missing.length];
    double[] direction = new double[missing.length];
    double[] product = new double[missing.length];
    multiply(x, product);
    double scale = 0;
    double norm = 0;
    for (int p : unknowns) {
      residual[p] = b[p] - product[p];
      direction[p] = residual[p];
      norm += residual[p] * residual[p];
      scale += b[p] * b[p];
    }
    double goal = TOLERANCE * Math.max(scale, 1e-30);
    for (int step = 0; norm > goal && step < 20 * unknowns.length; step++) {
      multiply(direction, product);
      double along = 0;
      for (int p : unknowns) {
        along += direction[p] * product[p];
      }
      double length = norm / along;
      double next = 0;
      for (int p : unknowns) {
        x[p] += length * direction[p];
        residual[p] -= length * product[p];
        next += residual[p] * residual[p];
      }
      for (int p : unknowns) {
        direction[p] = residual[p] + next / norm * direction[p];
      }
      norm = next;
    }
    return x;
  }

  /** Weights inside the picture times x, minus the weighted missing neighbours. */
  private void multiply(double[] x, double[] out) {
    for (int p : unknowns) {
      out[p] = inside(p) * x[p] - neighbours(p, x, null, 0);
    }
  }

  private double inside(int p) {
    double sum = 0;
    for (int d = 0; d < DY.length; d++) {
      sum += neighbour(p, d) >= 0 ? weight(d) : 0;
    }
    return sum;
  }

  /** The weighted sum of the missing neighbours' x, or of the known neighbours' pixels. */
  private double neighbours(int p, double @Nullable [] x, float @Nullable [] image, int from) {
    double sum = 0;
    for (int d = 0; d < DY.length; d++) {
      int q = neighbour(p, d);
      if (q >= 0) {
        if (missing[q] && x != null) {
          sum += weight(d) * x[q];
        } else if (!missing[q] && image != null) {
          sum += weight(d) * image[from + q];
        }
      }
    }
    return sum;
  }

  private int neighbour(int p, int d) {
    int y = p / width + DY[d];
    int x = p % width + DX[d];
    return y < 0 || x < 0 || y >= height || x >= width ? -1 : y * width + x;
  }

  private static double weight(int d) {
    return d < 4 ? BESIDE : ACROSS;
  }
}
