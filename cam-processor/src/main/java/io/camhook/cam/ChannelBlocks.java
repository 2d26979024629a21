package io.camhook.cam;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.nio.FloatBuffer;

/**
 * One sample of a float32 tensor {@code [N,C,…]}, read a few channels at a time: they are summed
 * while they are in the processor's nearest cache, and no array of the tensor's size is made.
 */
final class ChannelBlocks {
  /** About a third of a first-level cache. */
  private static final int BLOCK_VALUES = 3072;

  private final FloatBuffer values;
  private final int channels;
  private final int positions;

  private ChannelBlocks(FloatBuffer values, int channels, int positions) {
    this.values = values;
    this.channels = channels;
    this.positions = positions;
  }

  /** Whether a channels-first {@code tensor} can be read in this way. */
  static boolean canRead(Tensor tensor) {
    return tensor.dtype() == DType.F32 && tensor.rank() > 2;
  }

  static ChannelBlocks of(Tensor tensor, int sample) {
    int channels = Math.toIntExact(tensor.size(1));
    int size = Math.toIntExact(tensor.elements() / tensor.size(0));
    FloatBuffer values = tensor.data().asFloatBuffer().slice(sample * size, size);
    return new ChannelBlocks(values, channels, size / channels);
  }

  /** {@code mean_p x[k,p]} of each channel. */
  double[] means() {
    double[] means = new double[channels];
    each(
        (block, first, count) -> {
          Channels.sums(block, positions, count, means, first);
          for (int k = first; k < first + count; k++) {
            means[k] /= positions;
          }
        });
    return means;
  }

  /** {@code sum_k w_k x[k,p]} at each position. */
  double[] weightedSum(double[] weights) {
    double[] sum = new double[positions];
    each((block, first, count) -> Channels.addWeighted(block, weights, first, count, sum));
    return sum;
  }

  private void each(Block block) {
    // Whole groups of four, so that the values are added in the same order as in the whole array.
    int most = Math.max(1, BLOCK_VALUES / positions / 4) * 4;
    float[] read = new float[Math.min(most, channels) * positions];
    for (int first = 0; first < channels; first += most) {
      int count = Math.min(most, channels - first);
      values.get(first * positions, read, 0, count * positions);
      block.use(read, first, count);
    }
  }

  /** Does something with the channels {@code first} … {@code first + count − 1}. */
  private interface Block {
    void use(float[] values, int first, int count);
  }
}
