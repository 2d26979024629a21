package io.camhook.cam;

import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Test-time augmentation smoothing: the mean of the heatmaps of six variants of the input,
 * {original, mirrored left to right} times {0.9, 1, 1.1}, each mirrored back. Follows
 * pytorch-grad-cam: the mean is not scaled again.
 */
public final class AugSmooth {
  private static final float[] FACTORS = {0.9f, 1f, 1.1f};

  private AugSmooth() {}

  /**
   * The six variants, mirrored ones last.
   *
   * @param input {@code [N,C,…,W]}
   */
  public static List<Tensor> variants(Tensor input) {
    float[] values = input.toFloats();
    float[] mirrored = mirrored(values, (int) input.size(input.rank() - 1));
    List<Tensor> variants = new ArrayList<>();
    for (float[] source : List.of(values, mirrored)) {
      for (float factor : FACTORS) {
        float[] scaled = new float[source.length];
        for (int i = 0; i < scaled.length; i++) {
          scaled[i] = source[i] * factor;
        }
        variants.add(Tensor.ofFloats(scaled, input.shape()));
      }
    }
    return variants;
  }

  /** The mean of the heatmaps of the {@link #variants}, in their order. */
  public static FloatMap mean(List<FloatMap> heatmaps) {
    if (heatmaps.size() != 2 * FACTORS.length) {
      throw new IllegalArgumentException(
          "expected " + 2 * FACTORS.length + " heatmaps, found " + heatmaps.size());
    }
    int[] shape = heatmaps.get(0).shape();
    double[] sum = new double[FloatMap.positions(shape)];
    for (int v = 0; v < heatmaps.size(); v++) {
      float[] values = heatmaps.get(v).values();
      float[] upright = v < FACTORS.length ? values : mirrored(values, shape[shape.length - 1]);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += upright[i];
      }
    }
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / heatmaps.size());
    }
    return FloatMap.of(mean, shape);
  }

  private static float[] mirrored(float[] values, int width) {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      int column = i % width;
      out[i] = values[i - column + width - 1 - column];
    }
    return out;
  }
}
