package io.camhook.samples.shapes;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.norm.BatchNorm;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes the weights of the trained {@link ShapesNet} for the hand-written network of {@code
 * samples.plainjava}, big-endian float32: {@code ExportPlain FILE}. A batch norm is linear once it
 * is trained, so that it goes into the convolution before it: {@code w' = w γ / √(σ² + ε)}, {@code
 * b' = β - μ γ / √(σ² + ε)}.
 */
public final class ExportPlain {
  private static final float EPSILON = 1e-5f;

  private ExportPlain() {}

  public static void main(String[] args) throws IOException, MalformedModelException {
    if (args.length != 1) {
      System.err.println("usage: ExportPlain FILE");
      System.exit(2);
    }
    try (Model model = ShapesNet.load();
        DataOutputStream out = new DataOutputStream(Files.newOutputStream(Path.of(args[0])))) {
      write(model.getBlock(), out);
    }
  }

  static void write(Block net, DataOutputStream out) throws IOException {
    List<Block> layers = net.getChildren().values();
    for (Block layer : layers) {
      List<Block> parts = layer.getChildren().values();
      if (parts.size() == 3 && parts.get(1) instanceof BatchNorm norm) {
        convolution(array(parts.get(0), "weight"), norm, out);
      }
    }
    Block linear = layers.get(layers.size() - 1);
    write(array(linear, "weight"), out);
    write(array(linear, "bias"), out);
  }

  private static void convolution(float[] weight, BatchNorm norm, DataOutputStream out)
      throws IOException {
    float[] gamma = array(norm, "gamma");
    float[] variance = array(norm, "runningVar");
    float[] bias = array(norm, "beta");
    float[] mean = array(norm, "runningMean");
    int filter = weight.length / gamma.length;
    for (int o = 0; o < gamma.length; o++) {
      float factor = gamma[o] / (float) Math.sqrt(variance[o] + EPSILON);
      for (int i = o * filter; i < (o + 1) * filter; i++) {
        weight[i] *= factor;
      }
      bias[o] -= mean[o] * factor;
    }
    write(weight, out);
    write(bias, out);
  }

  private static float[] array(Block block, String name) {
    NDArray array = block.getDirectParameters().get(name).getArray();
    return array.toFloatArray();
  }

  private static void write(float[] values, DataOutputStream out) throws IOException {
    for (float value : values) {
      out.writeFloat(value);
    }
  }
}
