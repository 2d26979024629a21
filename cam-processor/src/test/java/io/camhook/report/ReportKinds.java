package io.camhook.report;

import io.camhook.recording.Counters;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import io.camhook.recording.Run;
import io.camhook.render.Picture;
import io.camhook.report.ReportCapture.CamMap;
import io.camhook.report.ReportCapture.Prediction;
import io.camhook.report.ReportCapture.Target;
import io.camhook.report.ReportInput.Box;
import io.camhook.report.ReportInput.Segmentation;
import io.camhook.report.ReportInput.Signal;
import io.camhook.report.ReportInput.Volume;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A report of each kind of input and state, written to a folder: tests open and check them. */
final class ReportKinds {
  static final List<String> NAMES =
      List.of(
          "pictures",
          "signal",
          "volume",
          "tokens",
          "words",
          "objects",
          "compare",
          "damaged",
          "large",
          "empty");

  private static final String SHA256 =
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

  /** More than fit into any view, and than one block of thumbnails holds. */
  private static final int LARGE = 1000;

  private ReportKinds() {}

  /** Writes the report {@code name} and returns its file. */
  static Path write(Path folder, String name) throws IOException {
    Path file = folder.resolve(name + ".html");
    try (ReportWriter report =
        new ReportWriter(file, SyntheticCaptures.info(name), ReportLimits.DEFAULT)) {
      List<ReportCapture> captures = captures(name);
      for (ReportCapture capture : captures) {
        report.add(capture);
        for (ReportCapture.Channels c : capture.channels()) {
          report
              .statistics()
              .addCaptured(c.layer(), "activation", c.values(), c.count(), report.size() - 1);
        }
      }
      report.sources(sources(name, captures.size()));
      if (name.equals("pictures") || name.equals("large")) {
        report.metrics(metrics());
      }
      if (name.equals("compare")) {
        report.compare();
      }
      report.finish();
    }
    return file;
  }

  static List<ReportCapture> captures(String name) {
    List<ReportCapture> captures = new ArrayList<>();
    int count =
        name.equals("empty") ? 0 : name.equals("large") ? LARGE : name.equals("pictures") ? 60 : 8;
    for (int i = 0; i < count; i++) {
      captures.add(
          switch (name) {
            case "signal" -> signal(i);
            case "volume" -> volume(i);
            case "tokens" -> tokens(i);
            case "words" -> words(i);
            case "objects" -> objects(i);
            case "compare" -> compared(i);
            default ->
                SyntheticCaptures.capture(i)
                    .withMetadata(Map.of("road of gradcam", "0." + (10 + i)))
                    .withTruth(
                        List.of(i % 7 == 3 ? "square" : i % 2 == 0 ? "red disc" : "blue disc"));
          });
    }
    return captures;
  }

  private static List<ReportSource> sources(String name, int captures) {
    ModelInfo model =
        new ModelInfo(
            "shapes",
            List.of(
                new ModuleInfo(".", "Sequential", 1234L, List.of(1L, 4L)),
                new ModuleInfo("features", "Sequential", 1200L, List.of(1L, 16L, 12L, 12L)),
                new ModuleInfo("features.2", "Conv2d", 400L, List.of(1L, 8L, 12L, 12L)),
                new ModuleInfo("features.5", "Conv2d", 800L, List.of(1L, 16L, 12L, 12L)),
                new ModuleInfo("classifier", "Linear", 34L, List.of(1L, 4L))),
            "PyTorch 2.7.1",
            List.of(),
            name.equals("signal") ? null : SHA256,
            name.equals("signal") ? SHA256 : null);
    boolean damaged = name.equals("damaged");
    boolean lossy = name.equals("objects");
    Run run =
        new Run(
            Instant.parse("2026-11-24T06:00:00Z"),
            damaged ? null : Instant.parse("2026-11-24T06:10:00Z"),
            "0.1.0",
            "host",
            7,
            "version: 1\nsampling: { every: 100 }\n",
            Map.of("java", "17"),
            damaged
                ? null
                : new Counters(captures + (lossy ? 3 : 0), captures, lossy ? 2 : 0, lossy ? 1 : 0),
            lossy ? Map.of("queue full", 2L, "pass could not be captured", 1L) : Map.of());
    ReportSource whole =
        new ReportSource(
            "captures/demo",
            captures,
            List.of(model),
            List.of(run),
            damaged ? List.of("captures-000001.tar: capture 3 at 1024: wrong checksum") : List.of(),
            !damaged,
            lossy ? 12 : 0);
    return name.equals("compare")
        ? List.of(
            whole,
            new ReportSource("captures/after", 4, List.of(model), List.of(run), List.of(), true, 0))
        : List.of(whole);
  }

  static MetricsTable metrics() {
    return new MetricsTable(
        "Metrics over 60 pictures",
        List.of(
            new MetricsTable.Metric("road", "ROAD", "higher", "", "combined score of ROAD"),
            new MetricsTable.Metric("deletion", "Deletion", "lower", "", "area under the curve")),
        List.of(
            // the standard error of the difference is sqrt(0.1²/60 + 0.1²/60) = 0.018
            row("gradcam", 0.50, 0.30), row("cam", 0.49, 0.40), row("random", 0.10, 0.90)),
        List.of(
            new MetricsTable.Curve("deletion", "gradcam", points(0.9, 0.4, 0.1)),
            new MetricsTable.Curve("deletion", "cam", points(0.9, 0.6, 0.3))));
  }

  private static MetricsTable.Row row(String method, double road, double deletion) {
    MetricsTable.Spread spread = new MetricsTable.Spread(60, 0.1);
    return new MetricsTable.Row(
        method,
        Map.of("road", road, "deletion", deletion),
        Map.of("road", spread, "deletion", spread));
  }

  private static List<MetricsTable.Point> points(double... values) {
    List<MetricsTable.Point> points = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      points.add(
          new MetricsTable.Point(String.valueOf(i / (values.length - 1.0)), values[i], 0.05));
    }
    return points;
  }

  private static ReportCapture bare(int i, Picture picture, List<CamMap> maps) {
    float p = 0.5f + 0.05f * (i % 8);
    return new ReportCapture(
        "20261124T060%d0000000000Z-1a2b3c4d-%08x".formatted(i, i),
        "20261124T060%d00000000Z-1a2b3c4d-%08x".formatted(i, i),
        "shapes",
        "2026-11-24T06:0%d:00Z".formatted(i),
        picture,
        List.of(new Prediction(0, "<b>first</b>", p, 4), new Prediction(1, "zwölf 猫 ×", 1 - p, 3)),
        List.of(new Target(0, "<b>first</b>", 4), new Target(1, "zwölf 猫 ×", 3)),
        maps,
        List.of(),
        List.of(),
        Map.of("latency", String.valueOf(10 + i)));
  }

  /** The map is 1 at position 6 of 32 for the first class, -1 at position 20; a sine was fed. */
  private static ReportCapture signal(int i) {
    float[] line = new float[2 * 128];
    for (int k = 0; k < 128; k++) {
      line[k] = (float) Math.sin((k + i) / 8.0);
      line[128 + k] = (float) (0.5 * Math.cos(k / 5.0));
    }
    float[] map = new float[32];
    map[6] = 1;
    map[20] = -1;
    return bare(
            i,
            null,
            List.of(
                new CamMap(0, "gradcam", "conv3", new int[] {32}, map),
                new CamMap(1, "gradcam", "conv3", new int[] {32}, map)))
        .withInput(new ReportInput(new Signal(2, 128, line), null, List.of(), List.of(), null));
  }

  /** The map of 4 × 4 × 4 is hot in the first column of slice 2 and nowhere else. */
  private static ReportCapture volume(int i) {
    float[] voxels = new float[8 * 16 * 16];
    Random random = new Random(i);
    for (int k = 0; k < voxels.length; k++) {
      voxels[k] = random.nextFloat();
    }
    float[] map = new float[64];
    for (int y = 0; y < 4; y++) {
      map[2 * 16 + y * 4] = 3;
    }
    return bare(i, null, List.of(new CamMap(0, "gradcam", "conv", new int[] {4, 4, 4}, map)))
        .withInput(
            new ReportInput(null, new Volume(8, 16, 16, voxels), List.of(), List.of(), null));
  }

  /** A vision transformer: 14 × 14 tokens, four layers. */
  private static ReportCapture tokens(int i) {
    Random random = new Random(i);
    byte[] rgb = new byte[224 * 224 * 3];
    random.nextBytes(rgb);
    List<CamMap> maps = new ArrayList<>();
    for (int layer = 0; layer < 4; layer++) {
      for (String method : List.of("gradcam", "cam")) {
        float[] map = new float[196];
        for (int k = 0; k < map.length; k++) {
          map[k] = random.nextFloat() - 0.3f;
        }
        maps.add(new CamMap(0, method, "encoder.layers." + layer + ".ln_1", 14, 14, map));
      }
    }
    return bare(i, new Picture(224, 224, rgb), maps);
  }

  private static ReportCapture words(int i) {
    List<String> words =
        List.of(
            "[CLS]", "the", "film", "was", "un", "##believ", "##ably", "good", "<script>", "[SEP]");
    float[] map = {0, 0.1f, 0.5f, 0, 0.3f, 0.6f, 0.2f, 2, -1, 0};
    return bare(i, null, List.of(new CamMap(0, "gradcam", "encoder.layer.5", new int[] {10}, map)))
        .withInput(new ReportInput(null, null, words, List.of(), null));
  }

  private static ReportCapture objects(int i) {
    ReportCapture capture = SyntheticCaptures.capture(i);
    byte[] classes = new byte[48 * 48];
    for (int k = 0; k < classes.length; k++) {
      classes[k] = (byte) (k % 48 < 16 ? 1 : k % 48 > 36 ? 2 : 0);
    }
    return capture.withInput(
        new ReportInput(
            null,
            null,
            List.of(),
            List.of(
                new Box("red disc", 0.91, 9, 33, 39, 63),
                new Box("blue disc", 0.8, 57, 33, 87, 63)),
            new Segmentation(48, 48, classes, List.of("none", "left", "right"))));
  }

  /** Four pictures by two models; the second model answers differently to the first picture. */
  private static ReportCapture compared(int i) {
    ReportCapture of = SyntheticCaptures.capture(i % 4);
    if (i < 4) {
      return of;
    }
    List<Prediction> answers = new ArrayList<>(of.predictions());
    if (i == 4) {
      answers.add(0, answers.remove(1));
    }
    return new ReportCapture(
            of.id() + "b",
            of.name(),
            of.model(),
            of.time(),
            of.picture(),
            answers,
            of.targets(),
            of.maps(),
            of.channels(),
            of.masks(),
            of.metadata())
        .of(1);
  }

  /** Writes them all: {@code FOLDER}. */
  public static void main(String[] args) throws IOException {
    for (String name : NAMES) {
      System.out.println(write(Path.of(args[0]), name));
    }
  }
}
