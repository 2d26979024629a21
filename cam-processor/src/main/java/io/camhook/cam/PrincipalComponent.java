package io.camhook.cam;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The projection of the positions of a {@code [C, P]} array on the first principal component of its
 * channels. The sign of such a component is arbitrary; ours is the one for which the map correlates
 * with the sum over channels of the array, so that it is bright where the array is large. (If the
 * two are uncorrelated, the value of largest magnitude is positive.)
 */
final class PrincipalComponent {

  private PrincipalComponent() {}

  /**
   * {@code X v1} of the centred matrix X (positions by channels). Taken from the smaller of the two
   * Gram matrices, in double precision.
   */
  static double[] linear(float[] x, int channels) {
    DMatrixRMaj matrix = centred(x, channels);
    int positions = matrix.numCols;
    double[] projection;
    if (positions <= channels) {
      DMatrixRMaj gram = new DMatrixRMaj(positions, positions);
      CommonOps_DDRM.multTransA(matrix, matrix, gram);
      projection = scaledTopEigenvector(gram);
    } else {
      DMatrixRMaj gram = new DMatrixRMaj(channels, channels);
      CommonOps_DDRM.multTransB(matrix, matrix, gram);
      DMatrixRMaj direction = new DMatrixRMaj(channels, 1);
      direction.setData(topEigenvector(gram).vector());
      DMatrixRMaj projected = new DMatrixRMaj(positions, 1);
      CommonOps_DDRM.multTransA(matrix, direction, projected);
      projection = projected.data;
    }
    return signed(projection, matrix);
  }

  /** The first component of kernel PCA with the kernel {@code tanh(x.y / C + 1)}. */
  static double[] sigmoidKernel(float[] x, int channels) {
    DMatrixRMaj matrix = centred(x, channels);
    int positions = matrix.numCols;
    DMatrixRMaj kernel = new DMatrixRMaj(positions, positions);
    CommonOps_DDRM.multTransA(matrix, matrix, kernel);
    double[] k = kernel.data;
    for (int i = 0; i < k.length; i++) {
      k[i] = Math.tanh(k[i] / channels + 1);
    }
    double[] means = new double[positions];
    double mean = 0;
    for (int i = 0; i < positions; i++) {
      for (int j = 0; j < positions; j++) {
        means[i] += k[i * positions + j] / positions;
      }
      mean += means[i] / positions;
    }
    for (int i = 0; i < positions; i++) {
      for (int j = 0; j < positions; j++) {
        k[i * positions + j] += mean - means[i] - means[j];
      }
    }
    return signed(scaledTopEigenvector(kernel), matrix);
  }

  /** {@code [C, P]} with the mean of every channel removed. */
  private static DMatrixRMaj centred(float[] x, int channels) {
    int positions = x.length / channels;
    double[] means = Channels.means(x, channels);
    DMatrixRMaj matrix = new DMatrixRMaj(channels, positions);
    for (int k = 0, i = 0; k < channels; k++) {
      for (int p = 0; p < positions; p++, i++) {
        matrix.data[i] = x[i] - means[k];
      }
    }
    return matrix;
  }

  private static double[] scaledTopEigenvector(DMatrixRMaj symmetric) {
    Eigenpair top = topEigenvector(symmetric);
    double scale = Math.sqrt(Math.max(0, top.value()));
    double[] out = top.vector().clone();
    for (int i = 0; i < out.length; i++) {
      out[i] *= scale;
    }
    return out;
  }

  private static Eigenpair topEigenvector(DMatrixRMaj symmetric) {
    EigenDecomposition_F64<DMatrixRMaj> eig =
        DecompositionFactory_DDRM.eig(symmetric.numRows, true, true);
    if (!eig.decompose(symmetric)) {
      throw new CamException(
          "the principal component of a %dx%d matrix did not converge; use a method without one"
              .formatted(symmetric.numRows, symmetric.numRows));
    }
    int best = 0;
    for (int i = 1; i < eig.getNumberOfEigenvalues(); i++) {
      if (eig.getEigenvalue(i).real > eig.getEigenvalue(best).real) {
        best = i;
      }
    }
    return new Eigenpair(eig.getEigenvalue(best).real, eig.getEigenVector(best).data);
  }

  private record Eigenpair(double value, double[] vector) {}

  private static double[] signed(double[] projection, DMatrixRMaj centred) {
    int positions = projection.length;
    int channels = centred.numRows;
    double correlation = 0;
    double magnitude = 0;
    double largest = 0;
    for (int p = 0; p < positions; p++) {
      double sum = 0;
      for (int k = 0; k < channels; k++) {
        sum += centred.data[k * positions + p];
      }
      correlation += sum * projection[p];
      magnitude += Math.abs(sum * projection[p]);
      if (Math.abs(projection[p]) > Math.abs(largest)) {
        largest = projection[p];
      }
    }
    boolean uncorrelated = Math.abs(correlation) <= 1e-9 * magnitude;
    if (uncorrelated ? largest < 0 : correlation < 0) {
      for (int p = 0; p < positions; p++) {
        projection[p] = -projection[p];
      }
    }
    return projection;
  }
}
