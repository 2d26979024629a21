package app.nn;

import java.nio.FloatBuffer;

/** Every form in which a network can keep its numbers. */
public final class Forms {
  private Forms() {}

  /** Numbers with a shape. */
  public static final class Matrix {
    private final double[] numbers;
    private final int[] sizes;

    public Matrix(double[] numbers, int... sizes) {
      this.numbers = numbers;
      this.sizes = sizes;
    }

    double[] numbers() {
      return numbers;
    }

    public double at(int i) {
      return numbers[i];
    }
  }

  /** Objects. */
  public static final class OverMatrices {
    public Matrix forward(Matrix x) {
      return new Matrix(new double[] {x.at(0) + x.at(1), x.at(2) + x.at(3)}, 1, 2);
    }

    public Matrix backward(Matrix g) {
      return new Matrix(new double[] {g.at(0), g.at(0), g.at(1), g.at(1)}, 2, 2);
    }
  }

  /** Nested arrays. */
  public static final class Nested {
    public float[][] forward(float[][] x) {
      return new float[][] {{x[0][0]}, {x[1][0]}};
    }
  }

  /** Buffers; the output is an argument. */
  public static final class Buffers {
    public void forward(FloatBuffer x, FloatBuffer y) {
      for (int i = 0; i < x.remaining(); i++) {
        y.put(i, 10 * x.get(i));
      }
    }
  }

  /** A flat array whose shape the layer knows; the input gradient stays in a field. */
  public static final class Flat {
    private final int[] outputShape = {2, 3};
    private float[] dx = {};

    public float[] forward(int step, float[] x) {
      return x.clone();
    }

    public void backward(float[] g) {
      dx = g.clone();
    }

    public float[] dx() {
      return dx;
    }
  }

  /** y = 10·x into a field; gradients from the second argument into another. */
  public static final class Accumulating {
    public float[] y = {};
    public float[] dx = {};

    public void forward(int step, float[] x) {
      y = new float[] {10 * x[0]};
    }

    public void backward(int step, float[] g) {
      dx = new float[] {10 * g[0]};
    }
  }

  /** A flat picture whose shape the network knows. */
  public static final class FlatPicture {
    private int[] inputSizes() {
      return new int[] {3, 1, 2};
    }

    public float[] forward(float[] x) {
      return new float[] {x[0], x[1]};
    }
  }
}
