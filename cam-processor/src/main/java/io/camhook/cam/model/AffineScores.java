package io.camhook.cam.model;

import java.util.Arrays;

/**
 * Scores of activations with one channel ablated, for outputs that are affine in the channel means.
 */
final class AffineScores {
  private AffineScores() {}

  /**
   * The scores with each of {@code channels} ablated, and finally that of the unchanged activation.
   *
   * @param activation of one sample, channels first
   * @param values what the channels are ablated to
   */
  static double[] of(
      ModelRun run,
      ForwardModel.AffineHead head,
      float[] activation,
      int[] channels,
      float[] values) {
    int classes = (int) head.weight().size(0);
    int count = (int) head.weight().size(1);
    float[] weight = head.weight().toFloats();
    double[] means = means(activation, count);
    double[] whole = outputs(head, weight, means);
    double[] scores = new double[channels.length + 1];
    float[] outputs = new float[classes];
    for (int i = 0; i < channels.length; i++) {
      int channel = channels[i];
      double change = values[i] - means[channel];
      for (int k = 0; k < classes; k++) {
        outputs[k] = (float) (whole[k] + weight[k * count + channel] * change);
      }
      scores[i] = run.target().score(outputs.clone());
    }
    for (int k = 0; k < classes; k++) {
      outputs[k] = (float) whole[k];
    }
    scores[channels.length] = run.target().score(outputs);
    return scores;
  }

  private static double[] means(float[] activation, int channels) {
    double[] means = new double[channels];
    int positions = activation.length / channels;
    for (int c = 0; c < channels; c++) {
      double sum = 0;
      for (int i = 0; i < positions; i++) {
        sum += activation[c * positions + i];
      }
      means[c] = sum / positions;
    }
    return means;
  }

  private static double[] outputs(ForwardModel.AffineHead head, float[] weight, double[] means) {
    float[] bias = head.bias().toFloats();
    double[] outputs = new double[bias.length];
    Arrays.setAll(
        outputs,
        k -> {
          double sum = bias[k];
          for (int c = 0; c < means.length; c++) {
            sum += weight[k * means.length + c] * means[c];
          }
          return sum;
        });
    return outputs;
  }
}
