package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Tensor;
import io.camhook.render.Bilinear;
import java.util.Arrays;
import java.util.List;

/**
 * FullGrad: {@code raw = sum_c scale(|x_c dx_c|) + sum over layers with a bias, sum_k scale(|b_k
 * g_k|)}; scale is min-max (epsilon 1e-7) per channel and a bilinear resize to the input. For
 * pictures {@code [1,C,H,W]}.
 *
 * <p>Srinivas and Fleuret, "Full-Gradient Representation for Neural Network Visualization", NeurIPS
 * 2019. Follows pytorch-grad-cam: convolutions and batch norms over two dimensions only; the layers
 * a user names are ignored.
 */
final class FullGrad extends InputMethod {
  private static final double EPSILON = 1e-7;

  @Override
  public String id() {
    return "fullgrad";
  }

  @Override
  public String title() {
    return "FullGrad";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    int[] size = run.spatial();
    if (size.length != 2) {
      throw new CamException(
          "fullgrad explains pictures, the input has %d spatial dimensions; use integrated-gradients"
              .formatted(size.length));
    }
    BackwardModel model = run.backward(id());
    float[] input = run.numbers(id());
    float[] gradient = model.inputGradient(run.input(), List.of(run.target())).toFloats();
    float[] product = new float[input.length];
    for (int i = 0; i < product.length; i++) {
      product[i] = Math.abs(input[i] * gradient[i]);
    }
    double[] sum = new double[size[0] * size[1]];
    addScaled(product, size, size, sum);
    run.requireNotCancelled(id());
    for (BackwardModel.BiasGradient layer :
        model.biasGradients(run.input(), List.of(run.target()))) {
      Tensor g = layer.gradient();
      int[] from = {(int) g.size(2), (int) g.size(3)};
      float[] values = g.toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.abs(values[i] * layer.bias()[i / (from[0] * from[1])]);
      }
      addScaled(values, from, size, sum);
    }
    float[] raw = new float[sum.length];
    for (int i = 0; i < raw.length; i++) {
      raw[i] = (float) sum[i];
    }
    return FloatMap.of(raw, size);
  }

  private static void addScaled(float[] channels, int[] from, int[] size, double[] sum) {
    int positions = from[0] * from[1];
    for (int at = 0; at < channels.length; at += positions) {
      FloatMap channel = FloatMap.of(Arrays.copyOfRange(channels, at, at + positions), from);
      float[] scaled = Bilinear.resize(channel.scaled(EPSILON).values(), from, size);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += scaled[i];
      }
    }
  }
}
