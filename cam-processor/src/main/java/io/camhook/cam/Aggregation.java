package io.camhook.cam;

import java.util.Arrays;
import java.util.List;

/** How the maps of several layers become one. */
public enum Aggregation {
  /** Mean of the maps, each scaled to 0..1 and resized: pytorch-grad-cam's rule. */
  MEAN {
    @Override
    FloatMap aggregate(List<FloatMap> raw, int[] size) {
      float[] sum = new float[FloatMap.positions(size)];
      for (FloatMap map : raw) {
        float[] values = Heatmaps.resize(map.relu().scaled(Heatmaps.EPSILON), size).values();
        for (int i = 0; i < sum.length; i++) {
          sum[i] += Math.max(values[i], 0f) / raw.size();
        }
      }
      return FloatMap.of(sum, size);
    }
  },
  /**
   * Elementwise maximum of {@code tanh(2 m)}, m scaled to 0..1: LayerCAM's fusion (Jiang et al.,
   * IEEE TIP 2021, gamma 2), as in torchcam's {@code fuse_cams}.
   */
  SCALED_MAX {
    @Override
    FloatMap aggregate(List<FloatMap> raw, int[] size) {
      float[] best = new float[FloatMap.positions(size)];
      for (FloatMap map : raw) {
        FloatMap scaled = map.relu().scaled(SCALED_MAX_EPSILON);
        float[] boosted = new float[scaled.values().length];
        for (int i = 0; i < boosted.length; i++) {
          boosted[i] = (float) Math.tanh(2 * scaled.values()[i]);
        }
        float[] values = Heatmaps.resize(FloatMap.of(boosted, map.shape()), size).values();
        for (int i = 0; i < best.length; i++) {
          best[i] = Math.max(best[i], values[i]);
        }
      }
      return FloatMap.of(best, size);
    }
  },
  /** Elementwise product of the maps, each scaled to 0..1 and resized: RefineCAM's rule. */
  PRODUCT {
    @Override
    FloatMap aggregate(List<FloatMap> raw, int[] size) {
      float[] product = new float[FloatMap.positions(size)];
      Arrays.fill(product, 1f);
      for (FloatMap map : raw) {
        // Scaled again after the resize, as every layer is a finished heatmap of its own.
        FloatMap scaled =
            Heatmaps.resize(map.relu().scaled(Heatmaps.EPSILON), size).scaled(Heatmaps.EPSILON);
        for (int i = 0; i < product.length; i++) {
          product[i] *= scaled.values()[i];
        }
      }
      return FloatMap.of(product, size);
    }
  };

  private static final double SCALED_MAX_EPSILON = 1e-8;

  /**
   * The aggregate of one sample's raw maps at {@code size}, before the last scaling; the caller
   * owns its memory.
   */
  abstract FloatMap aggregate(List<FloatMap> raw, int[] size);
}
