package io.camhook.benchmarks;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import io.camhook.djl.pass.GradientPass;
import io.camhook.djl.pass.RecordedRun;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * One process under the agent, started by {@link TorchScriptGradCam}: an application that knows
 * nothing about camhook and uses DJL's own API. Prints {@code name value} lines.
 */
final class ScriptRun {
  /** The JIT and the engine need some requests to reach their final speed. */
  private static final double WARM_UP_SECONDS = 12;

  private static final double SECONDS = 12;
  private static final int FEWEST = 24;
  private static final int LOADS = 9;

  private ScriptRun() {}

  /**
   * Runs one measurement.
   *
   * @param arguments what to measure; the archive that no entry of the configuration names; the
   *     same archive under a name that one does; for {@code pass} the layers
   */
  public static void main(String[] arguments)
      throws IOException, MalformedModelException, TranslateException {
    Path plain = Path.of(arguments[1]);
    Path hooked = Path.of(arguments[2]);
    switch (arguments[0]) {
      case "pass" -> pass(plain, List.of(arguments).subList(3, arguments.length));
      case "time" -> time(plain, hooked);
      case "load" -> loads(plain, hooked);
      case "peak" -> peak(hooked);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static Model load(Path file) throws IOException, MalformedModelException {
    Model model = Model.newInstance(file.getFileName().toString().replace(".pt", ""), "PyTorch");
    model.load(file.getParent(), file.getFileName().toString());
    return model;
  }

  /** The engine's forward, and the pass that a sampled request runs instead. */
  private static void pass(Path file, List<String> layers)
      throws IOException, MalformedModelException, TranslateException {
    InstrumentedArchive copy = TorchScriptArchive.open(file).instrument(layers);
    Path written = file.resolveSibling("pass.pt");
    copy.write(written);
    try (PtNDManager manager = (PtNDManager) NDManager.newBaseManager("PyTorch")) {
      PtSymbolBlock original = load(manager, file, false);
      PtSymbolBlock tapped = load(manager, written, true);
      Files.delete(written);
      tapped.freezeParameters(true);
      NDList input = input(manager);
      NDArray seed = manager.zeros(new Shape(1, 1000));
      seed.set(new NDIndex(0, 0), 1f);
      Owner owner = new Owner(manager);
      TapPlan plan = copy.plan();
      inTurn(
          new Side("plain", () -> forward(original, input)),
          new Side("hooked", () -> gradCam(tapped, plan, input, owner.now), owner::renew),
          new Side("copy", () -> forward(tapped, input)),
          new Side(
              "floor", () -> graphAndBackward(tapped, plan, input, seed, owner.now), owner::renew));
    }
  }

  private static float[] forward(PtSymbolBlock block, NDList input) {
    try (NDList out = IValueUtils.forward(block, input, false)) {
      return out.head().toFloatArray();
    }
  }

  /** Holds A and g until the pass has ended: the agent frees them on its writer's thread. */
  private static final class Owner {
    private final NDManager parent;
    private NDManager now;

    Owner(NDManager parent) {
      this.parent = parent;
      this.now = parent.newSubManager();
    }

    void renew() {
      now.close();
      now = parent.newSubManager();
    }
  }

  private static float[] gradCam(PtSymbolBlock block, TapPlan plan, NDList input, NDManager owner) {
    JniUtils.setGradMode(true);
    try (NDArray out = GradientPass.run(block, plan, -1, input, false, owner).output()) {
      return out.toFloatArray();
    } finally {
      JniUtils.setGradMode(false);
    }
  }

  /**
   * The minimum for any implementation: a forward that makes the suffix's graph, and a backward.
   */
  private static float[] graphAndBackward(
      PtSymbolBlock block, TapPlan plan, NDList input, NDArray seed, NDManager owner) {
    JniUtils.setGradMode(true);
    try (NDList out = RecordedRun.run(block, plan, input, true, true, owner).outputs()) {
      JniUtils.backward((PtNDArray) out.head(), (PtNDArray) seed, false, false);
      return out.head().toFloatArray();
    } finally {
      JniUtils.setGradMode(false);
    }
  }

  private static PtSymbolBlock load(PtNDManager manager, Path file, boolean trainable) {
    String[] none = {};
    return JniUtils.loadModule(manager, file, false, none, none, trainable);
  }

  private static void time(Path plain, Path hooked)
      throws IOException, MalformedModelException, TranslateException {
    try (Model one = load(plain);
        Model other = load(hooked);
        Predictor<NDList, NDList> first = one.newPredictor(new NoopTranslator(null));
        Predictor<NDList, NDList> second = other.newPredictor(new NoopTranslator(null));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      NDList input = input(manager);
      inTurn(
          new Side("plain", () -> logits(first, input)),
          new Side("hooked", () -> logits(second, input)));
    }
  }

  private static float[] logits(Predictor<NDList, NDList> predictor, NDList input)
      throws TranslateException {
    try (NDList out = predictor.predict(input)) {
      return out.get(0).toFloatArray();
    }
  }

  private interface Work {
    float[] logits() throws TranslateException;
  }

  /** A measured side, and how long it took each time. */
  private record Side(String name, Work work, Runnable afterwards, List<Double> times) {
    Side(String name, Work work) {
      this(name, work, () -> {});
    }

    Side(String name, Work work, Runnable afterwards) {
      this(name, work, afterwards, new ArrayList<>());
    }

    float[] run() throws TranslateException {
      long begun = System.nanoTime();
      float[] logits = work.logits();
      times.add(seconds(begun));
      afterwards.run();
      return logits;
    }
  }

  /** Runs all in turn, each round beginning with the next one. */
  private static void inTurn(Side... sides) throws TranslateException {
    boolean same = true;
    long start = System.nanoTime();
    boolean warm = false;
    for (int i = 0; !warm || i < FEWEST || seconds(start) < SECONDS; i++) {
      if (!warm && i >= FEWEST && seconds(start) > WARM_UP_SECONDS) {
        warm = true;
        start = System.nanoTime();
        i = 0;
        Arrays.stream(sides).forEach(side -> side.times.clear());
      }
      float[][] logits = new float[sides.length][];
      for (int k = 0; k < sides.length; k++) {
        int next = (i + k) % sides.length;
        logits[next] = sides[next].run();
      }
      same &= Arrays.equals(logits[0], logits[1]);
    }
    for (Side side : sides) {
      say(side.name, 1e3 * median(side.times));
    }
    say("same", same ? 1 : 0);
  }

  private static double median(List<Double> values) {
    return Verdict.median(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static NDList input(NDManager manager) {
    manager.getEngine().setRandomSeed(1);
    NDArray noise = manager.randomNormal(new Shape(1, 3, 224, 224));
    return new NDList(noise);
  }

  private static void loads(Path plain, Path hooked) throws IOException, MalformedModelException {
    double[] plainTimes = new double[LOADS];
    double[] hookedTimes = new double[LOADS];
    for (int i = -2; i < LOADS; i++) {
      double a = loadSeconds(plain);
      double b = loadSeconds(hooked);
      if (i >= 0) {
        plainTimes[i] = a;
        hookedTimes[i] = b;
      }
    }
    say("plain", 1e3 * Verdict.median(plainTimes));
    say("hooked", 1e3 * Verdict.median(hookedTimes));
  }

  private static double loadSeconds(Path file) throws IOException, MalformedModelException {
    long start = System.nanoTime();
    load(file).close();
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * The most memory that the process ever had, after loading and after requests; what the heap
   * holds at the end; how far single requests then rise above the memory at rest.
   */
  private static void peak(Path file)
      throws IOException, MalformedModelException, TranslateException {
    try (Model model = load(file);
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null));
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      say("loaded", mebibytes("VmHWM"));
      NDList input = input(manager);
      for (int i = 0; i < FEWEST; i++) {
        logits(predictor, input);
      }
      say("run", mebibytes("VmHWM"));
      System.gc();
      say("heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1048576.0);
      List<Double> rises = new ArrayList<>();
      for (int i = 0; i < FEWEST; i++) {
        double rest = mebibytes("VmRSS");
        Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // forgets VmHWM
        logits(predictor, input);
        rises.add(mebibytes("VmHWM") - rest);
      }
      say("pass", median(rises));
    }
  }

  /** A line of the system's status of this process. */
  private static double mebibytes(String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith(name + ":")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
      }
    }
    throw new IOException("/proc/self/status does not say " + name);
  }

  private static void say(String name, double value) {
    System.out.printf(Locale.ROOT, "%s %.4f%n", name, value);
  }
}
