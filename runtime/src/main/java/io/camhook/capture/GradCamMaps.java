package io.camhook.capture;

import io.camhook.recording.Capture;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.Arrays;

/**
 * Computes raw Grad-CAM maps in place, so that the tensors need not be kept: Σₖ meanₚ(∂y/∂Aₖₚ)·Aₖ.
 * Selvaraju et al., ICCV 2017. The processor computes the same from kept tensors.
 */
final class GradCamMaps {
  private GradCamMaps() {}

  /** Shape of the model's input, batch first; empty if it was not captured. */
  static long[] inputShape(Capture capture) {
    Tensor input = capture.tensor(TensorName.input(0)).orElse(null);
    if (input != null) {
      return input.shape();
    }
    Tensor image = capture.tensor(TensorName.IMAGE).orElse(null);
    if (image == null || image.rank() < 3) {
      return new long[0];
    }
    int rank = image.rank();
    return new long[] {1, image.size(rank - 1), image.size(rank - 3), image.size(rank - 2)};
  }

  /**
   * For {@code [N,C,H,W]} and {@code [N,H,W,C]} only; tokens need a grid that is not known here.
   */
  static boolean canBeMade(Tensor activation, Tensor gradient) {
    return activation.rank() == 4 && Arrays.equals(activation.shape(), gradient.shape());
  }

  /**
   * The maps of a batch, {@code [N,H,W]}.
   *
   * @param input shape of the model's input; channels are last if only the dimensions before them
   *     have its proportions
   */
  static Tensor raw(Tensor activation, Tensor gradient, long[] input) {
    boolean last = isChannelsLast(activation, input);
    int samples = (int) activation.size(0);
    int height = (int) activation.size(last ? 1 : 2);
    int width = (int) activation.size(last ? 2 : 3);
    int channels = (int) activation.size(last ? 3 : 1);
    int positions = height * width;
    int channelStep = last ? 1 : positions;
    int positionStep = last ? channels : 1;
    float[] a = activation.toFloats();
    float[] g = gradient.toFloats();
    float[] maps = new float[samples * positions];
    double[] map = new double[positions];
    for (int n = 0; n < samples; n++) {
      Arrays.fill(map, 0);
      int sample = n * channels * positions;
      for (int k = 0; k < channels; k++) {
        int channel = sample + k * channelStep;
        double weight = 0;
        for (int p = 0; p < positions; p++) {
          weight += g[channel + p * positionStep];
        }
        weight /= positions;
        for (int p = 0; p < positions; p++) {
          map[p] += weight * a[channel + p * positionStep];
        }
      }
      for (int p = 0; p < positions; p++) {
        maps[n * positions + p] = (float) map[p];
      }
    }
    return Tensor.ofFloats(maps, samples, height, width);
  }

  private static boolean isChannelsLast(Tensor activation, long[] input) {
    return input.length == 4
        && activation.size(1) * input[3] == activation.size(2) * input[2]
        && activation.size(2) * input[3] != activation.size(3) * input[2];
  }
}
