package io.camhook.cam.model;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.List;
import java.util.Random;

/**
 * SmoothGrad: the mean gradient of the input over 50 copies with normal noise, whose standard
 * deviation is 15 % of the input's range; the map is the sum over the input's channels of its
 * magnitude.
 *
 * <p>Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017 (arXiv 1706.03825). Neither
 * library has it; ours is seeded.
 */
final class SmoothGrad extends InputMethod {
  private static final double NOISE = 0.15;

  private static final int SAMPLES = 50;

  @Override
  public String id() {
    return "smoothgrad";
  }

  @Override
  public String title() {
    return "SmoothGrad";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    float[] input = run.numbers(id());
    FloatMap range = FloatMap.of(input, input.length);
    double sigma = NOISE * (range.max() - range.min());
    Random random = new Random(run.options().seed());
    double[] mean =
        InputGradients.mean(
            run,
            id(),
            run.options().samplesOr(SAMPLES),
            (i, batch, offset) -> Noise.add(input, sigma, random, batch, offset));
    float[] gradient = new float[mean.length];
    for (int p = 0; p < gradient.length; p++) {
      gradient[p] = (float) mean[p];
    }
    return magnitude(gradient, run.spatial());
  }
}
