package io.camhook.report;

import io.camhook.render.Picture;
import io.camhook.report.ReportCapture.CamMap;
import io.camhook.report.ReportCapture.Channels;
import io.camhook.report.ReportCapture.Mask;
import io.camhook.report.ReportCapture.Prediction;
import io.camhook.report.ReportCapture.Target;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Captures whose correct appearance is known: a red disc on the left and a blue one on the right of
 * a grey picture; the map of class "red" is hot on the left only, that of "blue" on the right only;
 * Grad-CAM marks the whole disc, CAM one cell of it.
 */
final class SyntheticCaptures {
  static final int SIDE = 96;
  static final int CELLS = 12;
  private static final List<String> LABELS = List.of("red disc", "blue disc", "square", "star");

  private SyntheticCaptures() {}

  static ReportInfo info(String title) {
    Map<String, String> methods = new LinkedHashMap<>();
    methods.put("gradcam", "Grad-CAM");
    methods.put("cam", "CAM");
    Map<String, byte[]> colormaps = new LinkedHashMap<>();
    colormaps.put("jet", ramp(255, 0, 0));
    colormaps.put("grey", ramp(255, 255, 255));
    return new ReportInfo(
        title,
        List.of("captures/demo"),
        Instant.parse("2026-11-24T06:00:00Z"),
        "test",
        methods,
        colormaps);
  }

  /** From black to a colour: level v of it is v/255 of the colour. */
  static byte[] ramp(int r, int g, int b) {
    byte[] table = new byte[768];
    for (int i = 0; i < 256; i++) {
      table[3 * i] = (byte) (r * i / 255);
      table[3 * i + 1] = (byte) (g * i / 255);
      table[3 * i + 2] = (byte) (b * i / 255);
    }
    return table;
  }

  static MetricsTable metrics() {
    return new MetricsTable(
        "Pointing game over 64 pictures",
        List.of(
            new MetricsTable.Metric(
                "pointing", "Pointing game", "higher", "%", "hottest point lies in the object")),
        List.of(
            new MetricsTable.Row("gradcam", Map.of("pointing", 63 / 64.0)),
            new MetricsTable.Row("random", Map.of("pointing", 8 / 64.0))));
  }

  static ReportCapture capture(int number) {
    Random random = new Random(number);
    float p = 0.55f + 0.4f * random.nextFloat();
    List<CamMap> maps = new ArrayList<>();
    for (int target = 0; target < 2; target++) {
      for (String layer : List.of("features.2", "features.5")) {
        maps.add(new CamMap(target, "gradcam", layer, CELLS, CELLS, disc(target, CELLS, 1)));
        maps.add(new CamMap(target, "cam", layer, CELLS, CELLS, cell(target)));
      }
    }
    return new ReportCapture(
        "capture-" + number,
        "picture-%05d.png".formatted(number),
        "shapes",
        "2026-11-24T06:%02d:%02dZ".formatted(number / 60 % 60, number % 60),
        new Picture(SIDE, SIDE, picture(random)),
        List.of(
            new Prediction(number % 2, LABELS.get(number % 2), p, 4.2f),
            new Prediction(1 - number % 2, LABELS.get(1 - number % 2), 0.9f * (1 - p), 2.5f),
            new Prediction(2, LABELS.get(2), 0.1f * (1 - p), -1f)),
        List.of(new Target(0, LABELS.get(0), 4.2f), new Target(1, LABELS.get(1), 2.5f)),
        maps,
        List.of(channels("features.2", 8, random), channels("features.5", 16, random)),
        List.of(new Mask("red disc", SIDE, SIDE, mask())),
        Map.of("sha256", "0123456789abcdef"));
  }

  private static byte[] picture(Random random) {
    byte[] rgb = new byte[SIDE * SIDE * 3];
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        int at = 3 * (y * SIDE + x);
        int grey = 100 + random.nextInt(40);
        boolean red = inside(x, y, 24, 48, 15);
        boolean blue = inside(x, y, 72, 48, 15);
        rgb[at] = (byte) (red ? 210 : blue ? 40 : grey);
        rgb[at + 1] = (byte) (red || blue ? 50 : grey);
        rgb[at + 2] = (byte) (blue ? 210 : red ? 40 : grey);
      }
    }
    return rgb;
  }

  private static boolean[] mask() {
    boolean[] inside = new boolean[SIDE * SIDE];
    for (int i = 0; i < inside.length; i++) {
      inside[i] = inside(i % SIDE, i / SIDE, 24, 48, 15);
    }
    return inside;
  }

  private static boolean inside(double x, double y, double cx, double cy, double r) {
    return (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r;
  }

  /** 1 within the disc of the target, falling to -0.5 away from it. */
  private static float[] disc(int target, int cells, float height) {
    float[] map = new float[cells * cells];
    double cx = cells * (target == 0 ? 0.25 : 0.75) - 0.5;
    double cy = cells * 0.5 - 0.5;
    for (int i = 0; i < map.length; i++) {
      double d = Math.hypot(i % cells - cx, i / cells - cy) / cells;
      map[i] = (float) (height * (1.5 * Math.exp(-30 * d * d) - 0.5));
    }
    return map;
  }

  private static float[] cell(int target) {
    float[] map = new float[CELLS * CELLS];
    map[CELLS / 2 * CELLS + (target == 0 ? 3 : 9)] = 2;
    return map;
  }

  private static Channels channels(String layer, int count, Random random) {
    float[] values = new float[count * CELLS * CELLS];
    float[] red = new float[count];
    float[] blue = new float[count];
    for (int c = 0; c < count; c++) {
      float[] map = disc(c % 2, CELLS, 1 + random.nextFloat());
      for (int i = 0; i < map.length; i++) {
        values[c * map.length + i] = Math.max(0, map[i]);
      }
      red[c] = (c % 2 == 0 ? 1 : -1) * (c + 1) * 0.01f;
      blue[c] = -red[c];
    }
    return new Channels(layer, count, CELLS, CELLS, values, List.of(red, blue));
  }
}
