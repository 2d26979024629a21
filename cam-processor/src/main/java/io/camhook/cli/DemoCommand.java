package io.camhook.cli;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cli.SampleProgram.Network;
import io.camhook.recording.Target;
import io.camhook.report.MetricsTable;
import io.camhook.report.ReportLimits;
import io.camhook.report.ReportWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code camhook demo}: from the flag to the report. */
@Command(
    name = "demo",
    description = {
      "Runs a sample program under the agent, offline, and writes a report of its recording.",
      "The program is a trained network that names shapes in generated pictures; it knows nothing"
          + " of",
      "camhook. The masks of the pictures tell how often a heatmap points at the",
      "object (pointing game)."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class DemoCommand implements Callable<Integer> {
  private static final List<String> METHODS = List.of("cam", "gradcam");
  private static final String RANDOM = "random";
  private static final int RANDOM_MAPS = 100;

  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "Directory for pictures, recording and report (default: ${DEFAULT-VALUE}).",
      defaultValue = "demo-out")
  private Path output = Path.of("demo-out");

  @Option(
      names = {"-n", "--pictures"},
      paramLabel = "N",
      description = "Number of pictures with one object (default: ${DEFAULT-VALUE}).",
      defaultValue = "96")
  private int pictures = 96;

  @Option(
      names = "--pairs",
      paramLabel = "N",
      description = "Number of pictures with two objects (default: ${DEFAULT-VALUE}).",
      defaultValue = "8")
  private int pairs = 8;

  @Option(
      names = "--network",
      paramLabel = "NAME",
      description =
          "${COMPLETION-CANDIDATES}: of DJL blocks, written by hand in Java without any library, or"
              + " an .onnx model in onnxruntime (default: ${DEFAULT-VALUE}).",
      defaultValue = "shapes")
  private Network network = Network.SHAPES;

  private final PointingGame single = new PointingGame();
  private final PointingGame pair = new PointingGame();
  private final Random random = new Random(1);
  private @Nullable String twoObjects;

  DemoCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    SampleProgram sample = SampleProgram.find(network);
    Path recording = output.resolve("recording");
    Path report = output.resolve("report.html");
    Files.createDirectories(output);
    delete(recording);
    delete(output.resolve("pictures"));
    sample.configure(output);

    step(out, 1, "sample program under -javaagent:camhook-agent.jar=camhook.yaml");
    long start = System.nanoTime();
    String answer;
    try (Progress progress = new Progress("sample program", "", -1)) {
      answer = sample.run(output, pictures, pairs);
    }
    result(out, answer, start);

    step(out, 2, "CAM and Grad-CAM from " + recording);
    start = System.nanoTime();
    int captures = explain(recording, report);
    result(out, captures + " captures explained", start);

    step(out, 3, "pointing game: is the hottest point inside the object?");
    scores(out);

    step(out, 4, "report, " + Units.bytes(Files.size(report)));
    out.println("     " + report.toAbsolutePath().toUri());
    if (twoObjects != null) {
      out.println("     maps of two classes, one for each object: " + twoObjects);
    }
    out.flush();
    return 0;
  }

  private int explain(Path recording, Path report) throws IOException {
    GroundTruth truth = GroundTruth.read(output.resolve("pictures/pictures.json"));
    CaptureReport shown = new CaptureReport(truth);
    CaptureExplainer explainer =
        new CaptureExplainer(
            MethodChoice.of(METHODS), new LayerChoice(List.of()), RecordedLayouts.NONE, null);
    Source source = Source.of(recording);
    Problems problems = new Problems();
    try (ReportWriter writer =
            new ReportWriter(report, ReportCommand.info(List.of(recording)), ReportLimits.DEFAULT);
        Progress progress = new Progress("heatmaps", " captures", source.size())) {
      source
          .read(
              explainer,
              explanation -> {
                explanation.problems().forEach(problems::add);
                writer.add(shown.of(explanation));
                play(explanation, truth, writer.size());
                CaptureReport.count(explanation, writer.statistics(), writer.size() - 1);
              },
              progress)
          .forEach(damage -> problems.add("damage", damage));
      if (writer.size() == 0) {
        throw new CommandFailure(
            recording
                + ": the agent recorded nothing; see "
                + output.resolve("sample.log")
                + " for what it says");
      }
      if (!problems.isEmpty()) {
        throw new CommandFailure(problems.text());
      }
      writer.sources(List.of(source.described(writer.size(), List.of())));
      writer.metrics(table());
      writer.finish();
      return writer.size();
    }
  }

  /**
   * Plays a round for each object with the heatmap of its own class. If the class of a picture's
   * only object was not explained, the most probable class is used; with two objects, one whose
   * class was not explained is skipped.
   */
  private void play(Explanation explanation, GroundTruth truth, int number) throws IOException {
    Optional<GroundTruth.Entry> known = truth.of(explanation.picture());
    if (known.isEmpty()) {
      return;
    }
    List<GroundTruth.TruthObject> objects = known.get().objects();
    int explained = 0;
    for (GroundTruth.TruthObject object : objects) {
      Optional<Target> target =
          explanation.targets().stream().filter(t -> object.label().equals(t.label())).findFirst();
      if (target.isPresent()) {
        explained++;
      }
      if (target.isPresent() || objects.size() == 1) {
        play(
            objects.size() == 1 ? single : pair,
            explanation,
            target.map(Target::n).orElse(0),
            truth.mask(object));
      }
    }
    if (twoObjects == null && explained == 2) {
      twoObjects = "%s (report.html#capture=%d)".formatted(known.get().file(), number);
    }
  }

  private void play(PointingGame game, Explanation explanation, int n, GroundTruth.Mask mask) {
    for (Explanation.Maps maps : explanation.maps()) {
      if (maps.n() == n) {
        game.play(maps.result().method(), maps.result().heatmap(), mask);
      }
    }
    playAtRandom(game, explanation, mask);
  }

  /** Maps of uniform noise at the layer's resolution, through the same steps. */
  private void playAtRandom(PointingGame game, Explanation explanation, GroundTruth.Mask mask) {
    if (explanation.maps().isEmpty()) {
      return;
    }
    FloatMap like = explanation.maps().get(0).result().raw().values().iterator().next();
    for (int i = 0; i < RANDOM_MAPS; i++) {
      float[] noise = new float[like.values().length];
      for (int k = 0; k < noise.length; k++) {
        noise[k] = random.nextFloat();
      }
      FloatMap heatmap =
          Heatmaps.standard()
              .heatmap(
                  List.of(FloatMap.of(noise, like.shape())),
                  new int[] {mask.height(), mask.width()});
      game.play(RANDOM, heatmap, mask);
    }
  }

  private void scores(PrintWriter out) {
    out.printf(
        "     %-10s %14s %14s%n", "", "one object", pair.scores().isEmpty() ? "" : "two objects");
    for (String method : single.scores().keySet()) {
      out.printf(
          "     %-10s %14s %14s%n",
          ModelMethods.title(method),
          text(method, single.scores().get(method)),
          text(method, pair.scores().get(method)));
    }
    out.flush();
  }

  private static String text(String method, PointingGame.@Nullable Score s) {
    if (s == null) {
      return "";
    }
    String rate = String.format(Locale.ROOT, "%.1f %%", 100 * s.rate());
    return method.equals(RANDOM) ? rate : "%s (%d/%d)".formatted(rate, s.hits(), s.rounds());
  }

  private MetricsTable table() {
    List<MetricsTable.Row> rows = new ArrayList<>();
    single
        .scores()
        .forEach(
            (method, score) -> {
              Map<String, Double> values = new HashMap<>();
              values.put("single", score.rate());
              PointingGame.Score two = pair.scores().get(method);
              if (two != null) {
                values.put("pair", two.rate());
              }
              rows.add(new MetricsTable.Row(method, values));
            });
    return new MetricsTable(
        "Pointing game over %d pictures of one object and %d of two".formatted(pictures, pairs),
        List.of(
            new MetricsTable.Metric(
                "single",
                "one object",
                "higher",
                "%",
                "share of pictures whose hottest point lies inside the object's mask"),
            new MetricsTable.Metric(
                "pair",
                "two objects",
                "higher",
                "%",
                "the same for each of two objects that is among the two most probable classes, with"
                    + " the heatmap of its own class")),
        rows);
  }

  private static void step(PrintWriter out, int number, String what) {
    out.printf("  %d  %s%n", number, what);
    out.flush();
  }

  private static void result(PrintWriter out, String what, long start) {
    out.printf("     %s, %s%n", what, Units.seconds(System.nanoTime() - start));
    out.flush();
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
