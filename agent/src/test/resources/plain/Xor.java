import java.util.Arrays;
import org.neuroph.core.NeuralNetwork;
import org.neuroph.core.Neuron;
import org.neuroph.nnet.MultiLayerPerceptron;
import org.neuroph.util.TransferFunctionType;

/** Runs a small Neuroph perceptron and prints what its hidden neurons and its output neuron say. */
public class Xor {
  public static void main(String[] args) {
    NeuralNetwork<?> net = new MultiLayerPerceptron(TransferFunctionType.SIGMOID, 2, 3, 1);
    double[] weights = new double[net.getWeights().length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.sin(1 + i);
    }
    net.setWeights(weights);
    net.setInput(1, 0);
    net.calculate();
    System.out.println(
        "hidden "
            + Arrays.toString(
                net.getLayerAt(1).getNeurons().stream().mapToDouble(Neuron::getOutput).toArray()));
    System.out.println("output " + Arrays.toString(net.getOutput()));
  }
}
