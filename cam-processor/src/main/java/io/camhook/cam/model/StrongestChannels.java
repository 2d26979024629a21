package io.camhook.cam.model;

import io.camhook.cam.LayerSample;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The channels of largest {@code sum_ij |A_k|}, for methods that run the model once per channel.
 */
final class StrongestChannels {

  private StrongestChannels() {}

  /** Indices in ascending order; all for {@code wanted} 0. */
  static int[] of(LayerSample sample, int wanted) {
    int channels = sample.channels();
    if (wanted == 0 || wanted >= channels) {
      return IntStream.range(0, channels).toArray();
    }
    float[] a = sample.activation();
    int positions = sample.positions();
    double[] strength = new double[channels];
    for (int i = 0; i < a.length; i++) {
      strength[i / positions] += Math.abs(a[i]);
    }
    return IntStream.range(0, channels)
        .boxed()
        .sorted(Comparator.comparingDouble(k -> -strength[k]))
        .limit(wanted)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }
}
