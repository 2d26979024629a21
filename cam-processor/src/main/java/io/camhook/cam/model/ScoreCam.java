package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Score-CAM: {@code M_k} = A_k resized to the input (bilinear, aligned corners) and scaled to 0..1;
 * {@code s_k} = score of {@code input * M_k}; {@code w = softmax_k(s)}; {@code raw = sum_k w_k
 * A_k}.
 *
 * <p>Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural
 * Networks", CVPR Workshops 2020. Follows pytorch-grad-cam; torchcam scales first and resizes with
 * half-pixel centres, and subtracts the score of the input, which does not change the softmax.
 */
final class ScoreCam extends ModelWeighted {

  @Override
  public String id() {
    return "scorecam";
  }

  @Override
  public String title() {
    return "Score-CAM";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    int[] channels = StrongestChannels.of(sample, run.options().channels());
    float[] input = run.numbers(id());
    int[] size = run.spatial();
    int[] runs = runs(sample, channels);
    int[] different = IntStream.range(0, channels.length).filter(i -> runs[i] == i).toArray();
    double[] found =
        run.scoresOfInputs(
            id(),
            different.length,
            (i, batch, offset) ->
                ChannelMasks.multiply(
                    input,
                    ChannelMasks.resizedThenScaled(sample, channels[different[i]], size),
                    1,
                    batch,
                    offset));
    double[] scores = new double[channels.length];
    for (int i = 0, next = 0; i < scores.length; i++) {
      scores[i] = runs[i] == i ? found[next++] : scores[runs[i]];
    }
    return ChannelMasks.softmax(scores, channels, sample.channels());
  }

  /**
   * For each channel the first one with the same mask, so that the model is run once for them.
   * Constant channels, dead ones above all, have the mask 0.
   */
  private static int[] runs(LayerSample sample, int[] channels) {
    int[] runs = new int[channels.length];
    Map<FloatBuffer, Integer> first = new HashMap<>();
    int constant = -1;
    for (int i = 0; i < channels.length; i++) {
      FloatBuffer values =
          FloatBuffer.wrap(
              sample.activation(), channels[i] * sample.positions(), sample.positions());
      if (isConstant(values)) {
        constant = constant < 0 ? i : constant;
        runs[i] = constant;
      } else {
        Integer same = first.putIfAbsent(values, i);
        runs[i] = same == null ? i : same;
      }
    }
    return runs;
  }

  private static boolean isConstant(FloatBuffer values) {
    float one = values.get(values.position());
    for (int i = values.position(); i < values.limit(); i++) {
      if (values.get(i) != one) {
        return false;
      }
    }
    return true;
  }
}
