import java.lang.reflect.Field;
import java.util.Random;
import smile.base.mlp.Layer;
import smile.base.mlp.OutputFunction;
import smile.classification.MLP;
import smile.math.MathEx;
import smile.math.matrix.Matrix;

/**
 * Trains Smile's perceptron on three clouds of points and classifies one, as its documentation does.
 * Prints the probabilities, and, for the test, the row of the last weights of the winning class.
 */
public class Iris {
  public static void main(String[] args) throws Exception {
    MathEx.setSeed(7);
    Random random = new Random(7);
    double[][] x = new double[300][4];
    int[] y = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = i % 3;
      for (int j = 0; j < 4; j++) {
        x[i][j] = random.nextGaussian() + (j == y[i] ? 3 : 0);
      }
    }
    MLP net =
        new MLP(4, Layer.rectifier(8), Layer.sigmoid(5), Layer.mle(3, OutputFunction.SOFTMAX));
    for (int epoch = 0; epoch < 3; epoch++) {
      for (int i = 0; i < x.length; i++) {
        net.update(x[i], y[i]);
      }
    }
    double[] p = new double[3];
    int label = net.predict(x[4], p);
    System.out.println("label " + label + " " + p[0] + " " + p[1] + " " + p[2]);
    StringBuilder row = new StringBuilder("row");
    Matrix weight = (Matrix) field(Layer.class, "weight", field(net.getClass().getSuperclass(), "output", net));
    for (int j = 0; j < weight.ncols(); j++) {
      row.append(' ').append(weight.get(label, j));
    }
    System.out.println(row);
  }

  private static Object field(Class<?> type, String name, Object owner) throws Exception {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(owner);
  }
}
