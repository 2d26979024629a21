package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;

/**
 * IS-CAM, Score-CAM integrated: {@code w = softmax_k(mean_i s(c_i * input * M_k))} with {@code c_i
 * = sum_{j<=i} j/N}, N = 10.
 *
 * <p>Naidu et al., "IS-CAM: Integrated Score-CAM for axiomatic-based explanations", 2020 (arXiv
 * 2010.03023). Follows torchcam, whose coefficients add up as the paper's sum does; its masks are
 * scaled and then resized with half-pixel centres. pytorch-grad-cam has none.
 */
final class IsCam extends ModelWeighted {
  private static final int STEPS = 10;

  @Override
  public String id() {
    return "iscam";
  }

  @Override
  public String title() {
    return "IS-CAM";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    int[] channels = StrongestChannels.of(sample, run.options().channels());
    int steps = run.options().samplesOr(STEPS);
    float[] input = run.numbers(id());
    int[] size = run.spatial();
    double[] scores =
        run.scoresOfInputs(
            id(),
            channels.length * steps,
            (i, batch, offset) ->
                ChannelMasks.multiply(
                    input,
                    ChannelMasks.scaledThenResized(sample, channels[i / steps], size),
                    coefficient(i % steps, steps),
                    batch,
                    offset));
    return ChannelMasks.softmax(SsCam.means(scores, steps), channels, sample.channels());
  }

  /** {@code (1 + … + (i + 1)) / N}. */
  private static float coefficient(int i, int steps) {
    return (float) ((i + 1) * (i + 2) / 2.0 / steps);
  }
}
