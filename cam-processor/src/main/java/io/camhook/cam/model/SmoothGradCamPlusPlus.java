package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Random;

/**
 * Smooth Grad-CAM++: Grad-CAM++ with the powers of g averaged over 4 copies of the input with
 * normal noise of standard deviation 0.3: {@code a = E[g^2] / (2 E[g^2] + sum_ij(A_k E[g^3]) +
 * 1e-8)}; {@code w_k = sum_ij a max(E[g], 0)}; {@code raw = sum_k w_k A_k} with A that of the input
 * itself.
 *
 * <p>Omeiza et al., "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique for
 * Deep Convolutional Neural Network Models", 2019 (arXiv 1908.01224). Follows torchcam, also in the
 * numerator of a, which the paper has as E[g]; the factor max(E[g], 0) is the paper's, torchcam
 * takes the last copy's g. Ours is seeded. pytorch-grad-cam has none.
 */
final class SmoothGradCamPlusPlus extends ModelWeighted {
  private static final double EPSILON = 1e-8;

  private static final int SAMPLES = 4;

  private final double sigma;

  SmoothGradCamPlusPlus() {
    this(0.3);
  }

  SmoothGradCamPlusPlus(double sigma) {
    this.sigma = sigma;
  }

  @Override
  public String id() {
    return "smoothgradcam++";
  }

  @Override
  public String title() {
    return "Smooth Grad-CAM++";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    BackwardModel model = run.backward(id());
    int samples = run.options().samplesOr(SAMPLES);
    float[] input = run.numbers(id());
    Random random = new Random(run.options().seed());
    int size = sample.activation().length;
    double[] first = new double[size];
    double[] second = new double[size];
    double[] third = new double[size];
    for (int n = 0; n < samples; n++) {
      run.requireNotCancelled(id());
      float[] noisy = new float[input.length];
      Noise.add(input, sigma, random, noisy, 0);
      Tensor copy = Tensor.ofFloats(noisy, run.input().shape());
      float[] g = gradient(model, run, copy, layer);
      for (int i = 0; i < size; i++) {
        double value = g[i];
        first[i] += value / samples;
        second[i] += value * value / samples;
        third[i] += value * value * value / samples;
      }
      run.options().progress().at(id(), n + 1, samples);
    }
    float[] a = sample.activation();
    int positions = sample.positions();
    double[] weights = new double[sample.channels()];
    for (int k = 0; k < weights.length; k++) {
      int from = k * positions;
      double activity = 0;
      for (int i = from; i < from + positions; i++) {
        activity += a[i] * third[i];
      }
      for (int i = from; i < from + positions; i++) {
        double alpha = second[i] / (2 * second[i] + activity + EPSILON);
        weights[k] += alpha * Math.max(first[i], 0);
      }
    }
    return weights;
  }

  private static float[] gradient(
      BackwardModel model, ModelRun run, Tensor input, LayerTensors layer) {
    LayerTensors found = model.layers(input, List.of(run.target()), List.of(layer.path())).get(0);
    float[] g = found.withLayout(layer.layout()).sample(0, input.shape()).gradient();
    if (g == null) {
      throw new IllegalStateException("the model gave no gradient of layer " + layer.path());
    }
    return g;
  }
}
