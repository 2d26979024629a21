package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import java.util.Random;

/**
 * SS-CAM, Score-CAM smoothed: {@code w = softmax_k(mean_n s(input * (M_k + noise_n)))}, noise
 * normal with standard deviation 2 in every pixel, 35 samples.
 *
 * <p>Wang et al., "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization", 2020 (arXiv
 * 2006.14255). Follows torchcam, whose masks are scaled and then resized with half-pixel centres;
 * ours is seeded. pytorch-grad-cam has none.
 */
final class SsCam extends ModelWeighted {
  private static final int SAMPLES = 35;

  private final double sigma;

  SsCam() {
    this(2);
  }

  SsCam(double sigma) {
    this.sigma = sigma;
  }

  @Override
  public String id() {
    return "sscam";
  }

  @Override
  public String title() {
    return "SS-CAM";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    int[] channels = StrongestChannels.of(sample, run.options().channels());
    int samples = run.options().samplesOr(SAMPLES);
    float[] input = run.numbers(id());
    int[] size = run.spatial();
    Random random = new Random(run.options().seed());
    double[] scores =
        run.scoresOfInputs(
            id(),
            channels.length * samples,
            (i, batch, offset) -> {
              float[] mask = ChannelMasks.scaledThenResized(sample, channels[i / samples], size);
              for (int p = 0; p < mask.length; p++) {
                mask[p] += (float) (sigma * random.nextGaussian());
              }
              ChannelMasks.multiply(input, mask, 1, batch, offset);
            });
    return ChannelMasks.softmax(means(scores, samples), channels, sample.channels());
  }

  /** Means of groups of {@code size} neighbours. */
  static double[] means(double[] values, int size) {
    double[] means = new double[values.length / size];
    for (int i = 0; i < values.length; i++) {
      means[i / size] += values[i] / size;
    }
    return means;
  }
}
