package io.camhook.benchmarks;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.metrics.Localization;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.recording.Tensor;
import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.pictures.PictureObject;
import io.camhook.samples.shapes.ShapesNet;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How well each method points at the object, on the demo model's own task: pictures that it has not
 * seen, each with one object whose mask is known. The explained class is the object's. Prints a
 * table in Markdown, best first.
 */
final class MethodTable {
  private static final int PICTURES = Integer.getInteger("pictures", 200);

  private static final List<String> METHODS = methods();

  /** Neither the seed of the training pictures nor that of the training program's test pictures. */
  private static final long SEED = 20_261_124;

  private static final String LAYER = "08LambdaBlock";

  private double hits;
  private double iou;
  private double energy;

  private MethodTable() {}

  private static List<String> methods() {
    String asked = System.getProperty("methods");
    if (asked != null) {
      return List.of(asked.split(","));
    }
    return ModelMethods.allIds();
  }

  public static void main(String[] arguments) throws IOException, MalformedModelException {
    System.setProperty("camhook.selfAttach", "true");
    System.setProperty("camhook.agentJar", System.getProperty("camhook.agent.jar"));
    Map<String, MethodTable> rows = new LinkedHashMap<>();
    double area = 0;
    try (Model model = ShapesNet.load();
        Explainer explainer = Explainer.of(model, List.of(LAYER))) {
      PictureGenerator generator = new PictureGenerator(SEED);
      for (int i = 0; i < PICTURES; i++) {
        DrawnPicture picture = generator.picture(i);
        area += share(picture.objects().get(0).mask().inside());
        add(explainer, picture, rows);
        System.err.printf("\r%d of %d pictures", i + 1, PICTURES);
      }
      System.err.println();
    }
    print(rows);
    System.out.printf(
        Locale.ROOT, "%nA point at random would hit in %.1f %%.%n", 100 * area / PICTURES);
  }

  private static double share(boolean[] mask) {
    int inside = 0;
    for (boolean each : mask) {
      inside += each ? 1 : 0;
    }
    return (double) inside / mask.length;
  }

  private static void add(Explainer explainer, DrawnPicture picture, Map<String, MethodTable> rows)
      throws IOException {
    PictureObject object = picture.objects().get(0);
    Tensor input = input(picture);
    Explained explained =
        explainer.run(
            ModelInput.of("picture", input),
            TargetChoice.parse("class:" + object.shape().ordinal(), Labels.none()));
    boolean[] mask = object.mask().inside();
    for (String method : METHODS) {
      try {
        CamResult result = explained.map(method, 0, options(method, input), Heatmaps.standard());
        rows.computeIfAbsent(method, m -> new MethodTable())
            .count(Localization.of(result.heatmap(), mask));
      } catch (CamException e) {
        System.err.println(e.getMessage());
      }
    }
  }

  /** With their usual number of samples, two methods would take seconds per picture. */
  private static RunOptions options(String method, Tensor input) {
    RunOptions options = RunOptions.forInput(input);
    return switch (method) {
      case "sscam" -> options.withSamples(4);
      case "rise" -> options.withSamples(1000);
      default -> options;
    };
  }

  private void count(Localization found) {
    hits += found.hit() ? 1 : 0;
    iou += found.iou();
    energy += found.energy();
  }

  /** {@code [1,3,H,W]} in -1..1, in the form of {@code ShapesTranslator}. */
  private static Tensor input(DrawnPicture picture) {
    int pixels = picture.width() * picture.height();
    float[] values = new float[3 * pixels];
    for (int i = 0; i < values.length; i++) {
      int rgb = picture.rgb()[i % pixels * 3 + i / pixels] & 0xff;
      values[i] = (rgb / 255f - 0.5f) / 0.5f;
    }
    return Tensor.ofFloats(values, 1, 3, picture.height(), picture.width());
  }

  private static void print(Map<String, MethodTable> rows) {
    System.out.println("| method | pointing game | IoU | energy inside |");
    System.out.println("| --- | --- | --- | --- |");
    rows.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue().hits, a.getValue().hits))
        .forEach(
            row -> {
              MethodTable sum = row.getValue();
              System.out.printf(
                  Locale.ROOT,
                  "| %s | %.1f %% | %.3f | %.3f |%n",
                  row.getKey(),
                  100 * sum.hits / PICTURES,
                  sum.iou / PICTURES,
                  sum.energy / PICTURES);
            });
  }
}
