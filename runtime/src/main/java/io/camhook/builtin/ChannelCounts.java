package io.camhook.builtin;

/**
 * The number of channels of a tensor {@code [N,C,…]}.
 *
 * @param count C; 0 for tensors of fewer than three dimensions
 * @param dead channels whose values are all zero, in every sample
 */
record ChannelCounts(int count, int dead) {
  private static final ChannelCounts NONE = new ChannelCounts(0, 0);

  static ChannelCounts of(float[] values, long[] shape) {
    if (shape.length < 3 || values.length == 0) {
      return NONE;
    }
    int samples = (int) shape[0];
    int channels = (int) shape[1];
    int positions = values.length / Math.max(1, samples * channels);
    int dead = 0;
    for (int c = 0; c < channels; c++) {
      dead += isZero(values, samples, channels, positions, c) ? 1 : 0;
    }
    return new ChannelCounts(channels, dead);
  }

  private static boolean isZero(
      float[] values, int samples, int channels, int positions, int channel) {
    for (int n = 0; n < samples; n++) {
      int begin = (n * channels + channel) * positions;
      for (int p = begin; p < begin + positions; p++) {
        if (values[p] != 0) {
          return false;
        }
      }
    }
    return true;
  }
}
