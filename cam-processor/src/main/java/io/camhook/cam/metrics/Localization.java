package io.camhook.cam.metrics;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;

/**
 * How well a heatmap agrees with the object's mask.
 *
 * @param hit the pointing game: whether the heatmap's maximum lies inside the mask (Zhang et al.,
 *     IJCV 2018)
 * @param iou intersection over union of the mask and of the pixels at or above half the maximum
 * @param energy share of the heatmap's sum inside the mask (Wang et al., Score-CAM, 2020); 0 for a
 *     heatmap of zeros
 */
public record Localization(boolean hit, double iou, double energy) {
  private static final float IOU_THRESHOLD = 0.5f;

  /**
   * Measures against a mask.
   *
   * @param heatmap 0..1
   * @param mask true inside the object; of the heatmap's size
   * @throws CamException if the sizes differ, or nothing is inside
   */
  public static Localization of(FloatMap heatmap, boolean[] mask) {
    Sizes.requireMask(heatmap, mask);
    float[] heat = heatmap.values();
    float threshold = heatmap.max() * IOU_THRESHOLD;
    double sum = 0;
    double inside = 0;
    int intersection = 0;
    int union = 0;
    int area = 0;
    for (int p = 0; p < heat.length; p++) {
      boolean hot = heat[p] >= threshold && heat[p] > 0;
      sum += heat[p];
      inside += mask[p] ? heat[p] : 0;
      intersection += hot && mask[p] ? 1 : 0;
      union += hot || mask[p] ? 1 : 0;
      area += mask[p] ? 1 : 0;
    }
    if (area == 0) {
      throw new CamException("the mask is empty; give one that marks the object");
    }
    boolean blank = heatmap.max() <= 0;
    return new Localization(
        !blank && mask[heatmap.argMax()],
        (double) intersection / union,
        sum > 0 ? inside / sum : 0);
  }

  /**
   * A box as a mask.
   *
   * @param left first column inside
   * @param top first row inside
   * @param right first column after the box
   * @param bottom first row below the box
   * @throws CamException if it is empty or leaves the picture
   */
  public static boolean[] box(int width, int height, int left, int top, int right, int bottom) {
    if (left < 0 || top < 0 || right > width || bottom > height || left >= right || top >= bottom) {
      throw new CamException(
          "box left %d, top %d, right %d, bottom %d does not lie inside a picture of %dx%d"
              .formatted(left, top, right, bottom, width, height));
    }
    boolean[] mask = new boolean[width * height];
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        mask[y * width + x] = true;
      }
    }
    return mask;
  }
}
