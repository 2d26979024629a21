package io.camhook.cam.metrics;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.model.ModelRun;
import java.util.Arrays;

/** Checks that maps and masks have the same size. */
final class Sizes {

  private Sizes() {}

  static void requireSame(ModelRun run, FloatMap heatmap) {
    if (!Arrays.equals(run.spatial(), heatmap.shape())) {
      throw new CamException(
          "the heatmap is %s, the input %s; a metric needs the heatmap at the input's size"
              .formatted(Arrays.toString(heatmap.shape()), Arrays.toString(run.spatial())));
    }
  }

  static void requireMask(FloatMap heatmap, boolean[] mask) {
    if (mask.length != heatmap.values().length) {
      throw new CamException(
          "a mask of %d pixels does not fit a heatmap of %s; give it at the size of the input"
              .formatted(mask.length, Arrays.toString(heatmap.shape())));
    }
  }
}
