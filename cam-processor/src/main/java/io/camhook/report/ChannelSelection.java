package io.camhook.report;

import io.camhook.report.ReportCapture.Channels;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Selects the channels of a layer that a report keeps, and their size: all channels of a small
 * layer, otherwise those with the largest weight (for any target), or with the largest activation
 * if no gradient was recorded.
 */
final class ChannelSelection {
  private final Channels channels;

  ChannelSelection(Channels channels) {
    this.channels = channels;
  }

  /** At most {@code limit} channel indices, ascending. */
  int[] indices(int limit) {
    if (channels.count() <= limit) {
      return IntStream.range(0, channels.count()).toArray();
    }
    float[] rank = rank();
    int[] kept =
        IntStream.range(0, channels.count())
            .boxed()
            .sorted(Comparator.comparingDouble((Integer c) -> -rank[c]))
            .limit(limit)
            .mapToInt(Integer::intValue)
            .toArray();
    Arrays.sort(kept);
    return kept;
  }

  /**
   * The channel's map, shrunk by whole factors (mean of the cells) to at most {@code limit} per
   * side.
   */
  Plane plane(int channel, int limit) {
    int width = channels.width();
    int height = channels.height();
    int factor = Math.max(1, (Math.max(width, height) + limit - 1) / limit);
    int w = (width + factor - 1) / factor;
    int h = (height + factor - 1) / factor;
    int base = channel * width * height;
    if (factor == 1) {
      return new Plane(w, h, Arrays.copyOfRange(channels.values(), base, base + w * h));
    }
    float[] out = new float[w * h];
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        double sum = 0;
        int n = 0;
        for (int j = y * factor; j < Math.min(height, (y + 1) * factor); j++) {
          for (int i = x * factor; i < Math.min(width, (x + 1) * factor); i++, n++) {
            sum += channels.values()[base + j * width + i];
          }
        }
        out[y * w + x] = (float) (sum / n);
      }
    }
    return new Plane(w, h, out);
  }

  /** One channel's map. */
  record Plane(int width, int height, float[] values) {}

  private float[] rank() {
    float[] rank = new float[channels.count()];
    for (float[] weights : channels.weights()) {
      for (int c = 0; c < rank.length && c < weights.length; c++) {
        rank[c] = Math.max(rank[c], Math.abs(weights[c]));
      }
    }
    if (channels.weights().isEmpty()) {
      int plane = channels.width() * channels.height();
      for (int i = 0; i < channels.values().length; i++) {
        rank[i / plane] = Math.max(rank[i / plane], channels.values()[i]);
      }
    }
    return rank;
  }
}
