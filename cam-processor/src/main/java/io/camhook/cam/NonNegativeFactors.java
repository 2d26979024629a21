package io.camhook.cam;

import java.util.Random;

/**
 * Non-negative matrix factorization {@code X ≈ W H}, all three without negative values, by
 * hierarchical alternating least squares: one column of W, or row of H, at a time takes its exact
 * optimum {@code max(0, ·)} with all others held. The error never grows; it ends where a sweep no
 * longer lowers it by a millionth of the norm of X, or after 500 sweeps.
 *
 * <p>Cichocki and Phan, "Fast Local Algorithms for Large Scale Nonnegative Matrix and Tensor
 * Factorizations", IEICE Transactions 2009; scikit-learn's {@code NMF} descends the same way.
 * Starts from uniform random factors of the scale of X; the same seed gives the same result.
 *
 * @param left W, by component: {@code [rank, rows]}
 * @param right H, {@code [rank, columns]}
 * @param error {@code |X - W H| / |X|} in the Frobenius norm
 */
record NonNegativeFactors(double[] left, double[] right, double error) {
  private static final int SWEEPS = 500;
  private static final double LEAST_GAIN = 1e-6;

  /**
   * Factorizes.
   *
   * @param x {@code [rows, columns]}, no value negative
   */
  static NonNegativeFactors of(float[] x, int rows, int rank, long seed) {
    int columns = x.length / rows;
    double norm = 0;
    double sum = 0;
    for (float v : x) {
      norm += (double) v * v;
      sum += v;
    }
    Random random = new Random(seed);
    double scale = Math.sqrt(sum / x.length / rank);
    double[] w = random(random, rank * rows, scale);
    double[] h = random(random, rank * columns, scale);
    double error = 1;
    for (int sweep = 0; sweep < SWEEPS && norm > 0; sweep++) {
      improve(h, leftProducts(x, w, rows, columns, rank), w, rank);
      double[] products = rightProducts(x, h, rows, columns, rank);
      improve(w, products, h, rank);
      double next = error(norm, products, w, h, rank);
      boolean settled = error - next < LEAST_GAIN;
      error = next;
      if (settled) {
        break;
      }
    }
    return new NonNegativeFactors(w, h, norm > 0 ? error : 0);
  }

  private static double[] random(Random random, int size, double scale) {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = scale * random.nextDouble();
    }
    return values;
  }

  /**
   * Every component of {@code factor} in turn: {@code f_k = max(0, f_k + (p_k - f G_k) / G_kk)}.
   */
  private static void improve(double[] factor, double[] products, double[] other, int rank) {
    int size = factor.length / rank;
    double[] gram = gram(other, rank);
    double[] residual = new double[size];
    for (int k = 0; k < rank; k++) {
      double diagonal = gram[k * rank + k];
      if (diagonal == 0) {
        continue;
      }
      System.arraycopy(products, k * size, residual, 0, size);
      for (int j = 0; j < rank; j++) {
        double g = gram[k * rank + j];
        for (int i = 0; i < size; i++) {
          residual[i] -= g * factor[j * size + i];
        }
      }
      for (int i = 0; i < size; i++) {
        factor[k * size + i] = Math.max(0, factor[k * size + i] + residual[i] / diagonal);
      }
    }
  }

  private static double[] gram(double[] factor, int rank) {
    int size = factor.length / rank;
    double[] gram = new double[rank * rank];
    for (int k = 0; k < rank; k++) {
      for (int j = 0; j < rank; j++) {
        gram[k * rank + j] = dot(factor, k * size, factor, j * size, size);
      }
    }
    return gram;
  }

  /** {@code W^T X}, {@code [rank, columns]}. */
  private static double[] leftProducts(float[] x, double[] w, int rows, int columns, int rank) {
    double[] out = new double[rank * columns];
    for (int k = 0; k < rank; k++) {
      for (int r = 0; r < rows; r++) {
        double weight = w[k * rows + r];
        for (int c = 0; weight != 0 && c < columns; c++) {
          out[k * columns + c] += weight * x[r * columns + c];
        }
      }
    }
    return out;
  }

  /** {@code (X H^T)^T}, {@code [rank, rows]}. */
  private static double[] rightProducts(float[] x, double[] h, int rows, int columns, int rank) {
    double[] out = new double[rank * rows];
    for (int k = 0; k < rank; k++) {
      for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = 0; c < columns; c++) {
          sum += h[k * columns + c] * x[r * columns + c];
        }
        out[k * rows + r] = sum;
      }
    }
    return out;
  }

  /** {@code |X - W H| / |X|} from {@code |X|^2 - 2 <W, X H^T> + <W^T W, H H^T>}. */
  private static double error(double norm, double[] products, double[] w, double[] h, int rank) {
    double square = norm - 2 * dot(products, 0, w, 0, w.length);
    double[] left = gram(w, rank);
    square += dot(left, 0, gram(h, rank), 0, left.length);
    return Math.sqrt(Math.max(0, square) / norm);
  }

  private static double dot(double[] a, int fromA, double[] b, int fromB, int size) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += a[fromA + i] * b[fromB + i];
    }
    return sum;
  }
}
