package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import java.util.Arrays;
import java.util.Optional;

/**
 * Ablation-CAM: {@code w_k = (s - s_k) / s} with s the score and {@code s_k} the score with channel
 * k of the layer's output ablated; {@code raw = sum_k w_k A_k}. Needs no gradient; if the model can
 * be resumed at the layer, only the part after it is run.
 *
 * <p>Desai and Ramaswamy, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via
 * Gradient-free Localization", WACV 2020. The paper ablates to 0. pytorch-grad-cam, which we
 * follow, does so only where the smallest activation is exactly 0; else its ablated value is the
 * smallest minus 1e7, taken again after every row of a batch of 32, so that channel k has {@code
 * min - 1e7 (1 + k mod 32)}. Ours does not depend on the batch size.
 *
 * <p>If only global average pooling and a linear layer follow the layer, ablating channel k to a
 * value v changes the outputs by {@code W_k (v - mean A_k)}. Then only two activations are run
 * again, to verify this.
 */
final class AblationCam extends ModelWeighted {
  private static final float FAR_BELOW = 1e7f;
  private static final int DRIFT_PERIOD = 32;

  @Override
  public String id() {
    return "ablationcam";
  }

  @Override
  public String title() {
    return "Ablation-CAM";
  }

  @Override
  double[] weights(ModelRun run, LayerTensors layer, LayerSample sample) {
    int[] channels = StrongestChannels.of(sample, run.options().channels());
    long[] shape = layer.activation().shape();
    float[] activation = layer.activation().toFloats();
    boolean first = layer.layoutFor(run.input().shape()).kind() == Layout.Kind.CHANNELS_FIRST;
    float[] values = ablatedValues(activation, channels.length);
    int size = sample.channels();
    ModelRun.Filler ablated =
        (i, batch, offset) -> {
          System.arraycopy(activation, 0, batch, offset, activation.length);
          if (i < channels.length) {
            ablate(batch, offset, activation.length, size, channels[i], first, values[i]);
          }
        };
    Optional<ForwardModel.AffineHead> head =
        first ? run.model().headOfMeans(layer.path()) : Optional.empty();
    double[] scores =
        head.map(h -> AffineScores.of(run, h, activation, channels, values))
            .filter(found -> isRight(found, run, layer, ablated, channels.length))
            .orElseGet(
                () ->
                    run.scoresOfActivations(
                        id(), layer.path(), channels.length + 1, shape, ablated));
    // The last one is unchanged: its score is cheaper than that of the input, which runs the whole
    // model.
    double score = scores[channels.length];
    if (score == 0) {
      throw new CamException(
          "ablationcam divides by the score, which is 0 for " + run.target().name());
    }
    double[] weights = new double[size];
    for (int i = 0; i < channels.length; i++) {
      weights[channels[i]] = (score - scores[i]) / score;
    }
    return weights;
  }

  /** Whether the model gives the last two scores, too. */
  private boolean isRight(
      double[] scores, ModelRun run, LayerTensors layer, ModelRun.Filler ablated, int channels) {
    int from = Math.max(0, channels - 1);
    double[] found =
        run.scoresOfActivations(
            id(),
            layer.path(),
            channels + 1 - from,
            layer.activation().shape(),
            (i, batch, offset) -> ablated.fill(from + i, batch, offset));
    for (int i = 0; i < found.length; i++) {
      double expected = scores[from + i];
      if (!(Math.abs(found[i] - expected) <= 1e-4 * Math.max(1, Math.abs(expected)))) {
        return false;
      }
    }
    return true;
  }

  private static void ablate(
      float[] batch,
      int offset,
      int length,
      int channels,
      int channel,
      boolean channelsFirst,
      float value) {
    if (channelsFirst) {
      int positions = length / channels;
      int from = offset + channel * positions;
      Arrays.fill(batch, from, from + positions, value);
    } else {
      for (int i = channel; i < length; i += channels) {
        batch[offset + i] = value;
      }
    }
  }

  /** The value that the i-th channel is ablated to. */
  private static float[] ablatedValues(float[] activation, int count) {
    float min = Float.POSITIVE_INFINITY;
    for (float v : activation) {
      min = Math.min(min, v);
    }
    float[] values = new float[count];
    if (min != 0) {
      float value = min;
      for (int i = 0; i < count; i++) {
        value = (i % DRIFT_PERIOD == 0 ? min : value) - FAR_BELOW;
        values[i] = value;
      }
    }
    return values;
  }
}
