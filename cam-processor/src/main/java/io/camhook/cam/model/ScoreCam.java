package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;

/**
 * Score-CAM: {@code M_k} = A_k resized to the input (bilinear, aligned corners) and scaled to 0..1;
 * {@code s_k} = score of {@code input * M_k}; {@code w = softmax_k(s)}; {@code raw = sum_k w_k
 * A_k}.
 *
 * <p>Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural
 * Networks", CVPR Workshops 2020. Follows pytorch-grad-cam; torchcam scales first and resizes with
 * half-pixel centres, and subtracts the score of the input, which softmax does not see.
 */
final class ScoreCam extends ModelWeighted {

  @Override
  public String id() {
    return "scorecam";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    int[] channels = StrongestChannels.of(sample, run.options().channels());
    float[] input = run.numbers(id());
    int[] size = run.spatial();
    double[] scores =
        run.scoresOfInputs(
            id(),
            channels.length,
            (i, batch, offset) ->
                ChannelMasks.multiply(
                    input,
                    ChannelMasks.resizedThenScaled(sample, channels[i], size),
                    1,
                    batch,
                    offset));
    return ChannelMasks.softmax(scores, channels, sample.channels());
  }
}
