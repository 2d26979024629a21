import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Trains a small Deeplearning4j net on pictures with a horizontal or a vertical stripe and classifies
 * one. Prints the probabilities, and, for the test, derivatives of the winning class's logit with
 * respect to the second convolution's output, by central differences; nothing after it has a kink.
 */
public class Stripes {
  private static final int SIZE = 8;

  public static void main(String[] args) {
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    MultiLayerConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .dataType(DataType.DOUBLE)
            .updater(new Adam(0.01))
            .list()
            .layer(conv(4))
            .layer(conv(6))
            .layer(new SubsamplingLayer.Builder(PoolingType.AVG).kernelSize(2, 2).stride(2, 2).build())
            .layer(new DenseLayer.Builder().nOut(10).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(2)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.convolutional(SIZE, SIZE, 1))
            .build();
    MultiLayerNetwork net = new MultiLayerNetwork(configuration);
    net.init();
    Random random = new Random(3);
    for (int step = 0; step < 40; step++) {
      INDArray x = Nd4j.zeros(16, 1, SIZE, SIZE);
      INDArray y = Nd4j.zeros(16, 2);
      for (int i = 0; i < 16; i++) {
        boolean vertical = random.nextBoolean();
        paint(x, i, vertical, random.nextInt(SIZE), random);
        y.putScalar(i, vertical ? 1 : 0, 1);
      }
      net.fit(x, y);
    }
    INDArray picture = Nd4j.zeros(1, 1, SIZE, SIZE);
    paint(picture, 0, true, 5, random);
    for (int i = 0; i < 3; i++) {
      System.out.println("p " + Arrays.toString(net.output(picture).toDoubleVector()));
    }

    List<INDArray> all = net.feedForward(picture, false); // the input, then each layer's output
    INDArray a = all.get(2);
    int winner = net.output(picture).argMax(1).getInt(0);
    System.out.println("winner " + winner);
    for (int at = 0; at < a.length(); at += 37) {
      double step = 1e-5;
      System.out.println(
          "d " + at + " " + (logit(net, moved(a, at, step), winner) - logit(net, moved(a, at, -step), winner)) / (2 * step));
    }
    // The net can still be trained as if nobody had looked.
    INDArray y = Nd4j.zeros(1, 2);
    y.putScalar(0, 0, 1);
    net.fit(picture, y);
    System.out.println("after " + Arrays.toString(net.output(picture).toDoubleVector()));
  }

  private static ConvolutionLayer conv(int channels) {
    return new ConvolutionLayer.Builder(3, 3)
        .padding(1, 1)
        .nOut(channels)
        .activation(Activation.RELU)
        .build();
  }

  private static void paint(INDArray x, int n, boolean vertical, int at, Random random) {
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) {
        double noise = 0.1 * random.nextGaussian();
        x.putScalar(new int[] {n, 0, i, j}, noise + ((vertical ? j : i) == at ? 1 : 0));
      }
    }
  }

  private static INDArray moved(INDArray a, int at, double by) {
    double[] numbers = a.dup('c').data().asDouble();
    numbers[at] += by;
    return Nd4j.create(numbers, a.shape());
  }

  private static double logit(MultiLayerNetwork net, INDArray a, int winner) {
    INDArray features = net.activateSelectedLayers(2, 3, a);
    return features.mmul(net.getParam("4_W")).addRowVector(net.getParam("4_b")).getDouble(0, winner);
  }
}
