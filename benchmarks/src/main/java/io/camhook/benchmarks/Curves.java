package io.camhook.benchmarks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.benchmarks.archives.ImageNets;
import io.camhook.djl.pass.GradientPass;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * How the cost of Grad-CAM grows: a pass that gives logits, A and g ÷ the engine's plain forward of
 * the same input, both in turn, against batch, side of the image, number of layers and model.
 * Prints a line for each point, and with {@code -Dcurves=DIR} writes a picture for each curve.
 */
final class Curves {
  private static final int ROUNDS = Integer.getInteger("rounds", 9);
  private static final boolean QUICK = Boolean.getBoolean("quick");
  private static final List<String> LAYERS = List.of("layer4", "layer3", "layer2", "layer1");

  private final Path folder;

  private Curves(Path folder) {
    this.folder = folder;
  }

  /** One measured point: its place on the axis, and the ratio. */
  record Point(String at, double ratio) {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createTempDirectory("camhook-");
    try {
      new Curves(folder).run();
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
      }
    }
  }

  private void run() throws IOException {
    List<Point> batches = new ArrayList<>();
    for (int batch : QUICK ? new int[] {1, 4} : new int[] {1, 4, 16, 64}) {
      batches.add(point(batch + "", ImageNets.RESNET18, 1, batch, 224));
    }
    show("batch", "ResNet-18, layer4, against the size of the batch", batches);
    List<Point> sides = new ArrayList<>();
    for (int side : QUICK ? new int[] {96, 224} : new int[] {64, 128, 224, 320, 448}) {
      sides.add(point(side + "", ImageNets.RESNET18, 1, 1, side));
    }
    show("side", "ResNet-18, layer4, against the image's side", sides);
    List<Point> counts = new ArrayList<>();
    for (int count = 1; count <= (QUICK ? 2 : 4); count++) {
      counts.add(point(count + "", ImageNets.RESNET18, count, 1, 224));
    }
    show("layers", "ResNet-18, against the number of layers, from layer4 to layer1", counts);
    List<Point> models = new ArrayList<>();
    for (ImageNets net : QUICK ? List.of(ImageNets.SQUEEZENET) : List.of(ImageNets.values())) {
      models.add(point(net.name(), net, 0, 1, 224));
    }
    show("models", "Its usual layer, by model", models);
  }

  private static void show(String name, String title, List<Point> points) throws IOException {
    for (Point point : points) {
      Verdict.note(point.ratio(), "Grad-CAM ÷ forward, " + title + ": " + point.at());
    }
    String pictures = System.getProperty("curves", "");
    if (!pictures.isEmpty()) {
      Files.writeString(Path.of(pictures, name + ".svg"), CurvePicture.of(title, points));
    }
  }

  /**
   * @param layers how many of ResNet's, the last first; 0: the model's usual one
   */
  private Point point(String at, ImageNets net, int layers, int batch, int side)
      throws IOException {
    Path archive = folder.resolve(net.name() + ".pt");
    if (!Files.exists(archive)) {
      Files.move(net.write(folder), archive);
    }
    List<String> paths = layers == 0 ? List.of(net.layer()) : LAYERS.subList(0, layers);
    InstrumentedArchive copy = TorchScriptArchive.open(archive).instrument(paths);
    Path written = folder.resolve("pass.pt");
    copy.write(written);
    try (PtNDManager manager = (PtNDManager) NDManager.newBaseManager("PyTorch")) {
      PtSymbolBlock block =
          JniUtils.loadModule(manager, written, false, new String[0], new String[0], true);
      block.freezeParameters(true);
      manager.getEngine().setRandomSeed(1);
      NDList input = new NDList(manager.randomNormal(new Shape(batch, 3, side, side)));
      List<Double> forwards = new ArrayList<>();
      List<Double> passes = new ArrayList<>();
      for (int i = -4; i < ROUNDS; i++) { // the engine's JIT specialises during the first ones
        double forward = seconds(() -> forward(block, input));
        double pass = seconds(() -> gradCam(block, copy.plan(), input, manager));
        if (i >= 0) {
          forwards.add(forward);
          passes.add(pass);
        }
      }
      return new Point(at, median(passes) / median(forwards));
    }
  }

  private static double median(List<Double> values) {
    return Verdict.median(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static void forward(PtSymbolBlock block, NDList input) {
    try (NDList out = IValueUtils.forward(block, input, false)) {
      out.head().toFloatArray();
    }
  }

  private static void gradCam(
      PtSymbolBlock block, TapPlan plan, NDList input, PtNDManager manager) {
    JniUtils.setGradMode(true);
    try (NDManager owner = manager.newSubManager();
        NDArray out = GradientPass.run(block, plan, -1, input, false, owner).output()) {
      out.toFloatArray();
    } finally {
      JniUtils.setGradMode(false);
    }
  }

  private static double seconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }

  /** A ratio as shown in a picture. */
  static String text(double ratio) {
    return String.format(Locale.ROOT, "%.2f", ratio);
  }
}
