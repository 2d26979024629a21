package io.camhook.report;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.report.ReportCapture.CamMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The heatmaps of a capture's first target, one per method, small enough to be stored with every
 * thumbnail. The grid draws them; class means and the similarity of methods are computed from them.
 */
final class HeatmapThumbnails {
  /** Longest side in cells. */
  static final int SIDE = 24;

  /** The number of methods kept; further methods are compared only in the opened capture. */
  private static final int METHODS = 6;

  private HeatmapThumbnails() {}

  /**
   * A heatmap.
   *
   * @param width cells in a row
   * @param height rows; 1 for a signal or text, the maximum over the slices of a volume
   * @param values 0..1, row-major
   */
  record Small(int width, int height, float[] values) {
    /** 0..255. */
    byte[] levels() {
      byte[] levels = new byte[values.length];
      for (int i = 0; i < levels.length; i++) {
        levels[i] = (byte) Math.round(255 * Math.max(0, Math.min(1, values[i])));
      }
      return levels;
    }

    boolean fits(Small other) {
      return width == other.width && height == other.height;
    }

    /** Pearson's correlation of the cells; NaN if one of the two is flat. */
    double correlation(Small other) {
      double sx = 0;
      double sy = 0;
      double sxx = 0;
      double syy = 0;
      double sxy = 0;
      int n = values.length;
      for (int i = 0; i < n; i++) {
        double x = values[i];
        double y = other.values[i];
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
      }
      double vx = sxx - sx * sx / n;
      double vy = syy - sy * sy / n;
      return vx > 1e-12 && vy > 1e-12 ? (sxy - sx * sy / n) / Math.sqrt(vx * vy) : Double.NaN;
    }

    /** Share of the cells that are hotter than half of the hottest. */
    double area() {
      int hot = 0;
      for (float v : values) {
        hot += v > 0.5 ? 1 : 0;
      }
      return (double) hot / values.length;
    }
  }

  /** By method, in the order of the maps. */
  static Map<String, Small> of(ReportCapture capture) {
    Map<String, List<CamMap>> byMethod = new LinkedHashMap<>();
    for (CamMap map : capture.maps()) {
      if (map.target() == 0) {
        byMethod.computeIfAbsent(map.method(), id -> new ArrayList<>()).add(map);
      }
    }
    Map<String, Small> heats = new LinkedHashMap<>();
    for (Map.Entry<String, List<CamMap>> entry : byMethod.entrySet()) {
      if (heats.size() < METHODS
          && entry.getValue().stream().allMatch(m -> m.values().length > 0)) {
        heats.put(entry.getKey(), small(entry.getValue()));
      }
    }
    return heats;
  }

  private static Small small(List<CamMap> maps) {
    FloatMap heat = heatmap(maps);
    int[] shape = heat.shape();
    int width = shape[shape.length - 1];
    int height = shape.length == 1 ? 1 : shape[shape.length - 2];
    float[] flat = heat.values();
    if (shape.length > 2) {
      flat = strongest(flat, width * height);
    }
    ReportCapture.Channels plane =
        new ReportCapture.Channels("", 1, width, height, flat, List.of());
    int side = height == 1 ? 2 * SIDE : SIDE;
    ChannelSelection.Plane shrunk = new ChannelSelection(plane).plane(0, side);
    return new Small(shrunk.width(), shrunk.height(), shrunk.values());
  }

  private static FloatMap heatmap(List<CamMap> maps) {
    List<FloatMap> raw = new ArrayList<>();
    for (CamMap map : maps) {
      if (map.layer() != null && map.shape().length == maps.get(0).shape().length) {
        raw.add(FloatMap.of(map.values(), map.shape()));
      }
    }
    if (!raw.isEmpty()) {
      try {
        return Heatmaps.standard().heatmap(raw, new int[0]);
      } catch (CamException e) {
        // a map that cannot be scaled: the opened capture shows it unchanged, here it is empty
        return FloatMap.of(new float[raw.get(0).values().length], raw.get(0).shape());
      }
    }
    return FloatMap.of(maps.get(0).values(), maps.get(0).shape());
  }

  private static float[] strongest(float[] volume, int plane) {
    float[] max = new float[plane];
    for (int i = 0; i < volume.length; i++) {
      max[i % plane] = Math.max(max[i % plane], volume[i]);
    }
    return max;
  }
}
