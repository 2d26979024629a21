import java.util.Arrays;
import org.encog.engine.network.activation.ActivationSigmoid;
import org.encog.ml.data.basic.BasicMLData;
import org.encog.neural.networks.BasicNetwork;
import org.encog.neural.networks.layers.BasicLayer;

/** Runs a small Encog network and prints what it answers. */
public class Flat {
  public static void main(String[] args) {
    BasicNetwork net = new BasicNetwork();
    net.addLayer(new BasicLayer(null, true, 2));
    net.addLayer(new BasicLayer(new ActivationSigmoid(), true, 3));
    net.addLayer(new BasicLayer(new ActivationSigmoid(), false, 2));
    net.getStructure().finalizeStructure();
    double[] weights = net.getFlat().getWeights();
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.sin(1 + i);
    }
    System.out.println(
        "output " + Arrays.toString(net.compute(new BasicMLData(new double[] {1, -2})).getData()));
    System.exit(0); // it has threads of its own
  }
}
