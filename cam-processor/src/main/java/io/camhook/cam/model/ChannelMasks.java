package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import io.camhook.render.Bilinear;
import java.util.Arrays;

/** Channels of an activation as masks of 0..1 over the input. */
final class ChannelMasks {
  private static final double EPSILON = 1e-8;

  private ChannelMasks() {}

  /** Resized with aligned corners, then scaled: pytorch-grad-cam's order. */
  static float[] resizedThenScaled(LayerSample sample, int channel, int[] size) {
    float[] mask = Bilinear.resizeAligned(channel(sample, channel), sample.spatial(), size);
    scale(mask);
    return mask;
  }

  /** Scaled, then resized with half-pixel centres: torchcam's order. */
  static float[] scaledThenResized(LayerSample sample, int channel, int[] size) {
    float[] mask = channel(sample, channel);
    scale(mask);
    return Bilinear.resize(mask, sample.spatial(), size);
  }

  private static float[] channel(LayerSample sample, int channel) {
    int positions = sample.positions();
    return Arrays.copyOfRange(sample.activation(), channel * positions, (channel + 1) * positions);
  }

  private static void scale(float[] mask) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float v : mask) {
      min = Math.min(min, v);
      max = Math.max(max, v);
    }
    double range = (double) max - min + EPSILON;
    for (int i = 0; i < mask.length; i++) {
      mask[i] = (float) ((mask[i] - min) / range);
    }
  }

  /**
   * {@code batch[offset…] = factor * input * mask}, the mask repeated over the input's channels.
   */
  static void multiply(float[] input, float[] mask, float factor, float[] batch, int offset) {
    for (int from = 0; from < input.length; from += mask.length) {
      for (int p = 0; p < mask.length; p++) {
        batch[offset + from + p] = factor * input[from + p] * mask[p];
      }
    }
  }

  /** Softmax over the channels that were run; the others have weight 0. */
  static double[] softmax(double[] scores, int[] run, int channels) {
    double max = Arrays.stream(scores).max().orElse(0);
    double sum = 0;
    double[] weights = new double[channels];
    for (int i = 0; i < run.length; i++) {
      weights[run[i]] = Math.exp(scores[i] - max);
      sum += weights[run[i]];
    }
    for (int k = 0; k < channels; k++) {
      weights[k] /= sum;
    }
    return weights;
  }
}
