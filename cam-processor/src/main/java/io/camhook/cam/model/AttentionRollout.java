package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Attention rollout: follows the attention of all layers back to the input. With A the mean of a
 * layer's attention weights over its heads, {@code R = Π (A + I) / 2}, the last layer first; {@code
 * raw} of a token is the mean of R over the rows that the score reads: the class token's alone, or
 * all of them before a mean over tokens. It does not depend on the class.
 *
 * <p>Abnar and Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020, including its
 * identity term for the residual connection.
 */
final class AttentionRollout extends InputMethod {

  @Override
  public String id() {
    return "attention-rollout";
  }

  @Override
  public String title() {
    return "Attention Rollout";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    Attention attention = run.model().attention(run.target());
    int tokens = attention.tokens();
    double[] rollout = rollout(attention.weights(), tokens);
    double[] mean = new double[tokens];
    int rows = 0;
    for (int i = 0; i < tokens; i++) {
      if (attention.reads()[i]) {
        rows++;
        for (int j = 0; j < tokens; j++) {
          mean[j] += rollout[i * tokens + j];
        }
      }
    }
    int[] spatial = run.spatial();
    if (spatial.length == 2) {
      long[] shape = {1, tokens, 1};
      Layout grid = Layout.tokens("attention", shape, run.input().shape());
      return map(mean, rows, grid.skip(), grid.grid());
    }
    if (spatial.length != 1 || spatial[0] != tokens) {
      throw new CamException(
          "attention-rollout: the attention is over %d tokens, and the input has the shape %s; there is no value for each of its positions"
              .formatted(tokens, Arrays.toString(run.input().shape())));
    }
    return map(mean, rows, 0, spatial);
  }

  private static FloatMap map(double[] sums, int rows, int skip, int[] shape) {
    float[] raw = new float[sums.length - skip];
    for (int i = 0; i < raw.length; i++) {
      raw[i] = (float) (sums[i + skip] / rows);
    }
    return FloatMap.of(raw, shape);
  }

  /** {@code [T,T]}: the product over the layers. */
  private static double[] rollout(List<Tensor> weights, int tokens) {
    double[] product = null;
    for (Tensor layer : weights) {
      double[] step = step(layer, tokens);
      product = product == null ? step : times(step, product, tokens);
    }
    return java.util.Objects.requireNonNull(product);
  }

  private static double[] step(Tensor layer, int tokens) {
    float[] values = layer.toFloats();
    int heads = values.length / (tokens * tokens);
    double[] step = new double[tokens * tokens];
    for (int i = 0; i < values.length; i++) {
      step[i % step.length] += values[i] / heads / 2;
    }
    for (int i = 0; i < tokens; i++) {
      step[i * tokens + i] += 0.5;
    }
    return step;
  }

  private static double[] times(double[] a, double[] b, int n) {
    double[] product = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        double factor = a[i * n + k];
        for (int j = 0; j < n; j++) {
          product[i * n + j] += factor * b[k * n + j];
        }
      }
    }
    return product;
  }
}
