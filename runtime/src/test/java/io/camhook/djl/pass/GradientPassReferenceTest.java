package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A pass with as little autograd as possible, at each path of the reference archives alone and at
 * all together, against one that runs the whole twin with autograd and differentiates the score
 * with the engine. {@code ReferenceArchivesTest} holds the latter against PyTorch.
 */
class GradientPassReferenceTest {
  private static final boolean ALL = System.getProperty("camhook.archives", "").equals("all");

  /** A row of the weight instead of a product with a one-hot vector; the rest is the same. */
  private static final double ROUNDING = 1e-6;

  /** The JIT specialises after the first runs; of all archives that would take hours. */
  private static final int RUNS = ALL ? 1 : 3;

  private static final Set<String> BY_DEFAULT =
      Set.of(
          "gap_linear.traced",
          "non_contiguous.traced",
          "residual_inplace.traced",
          "shared_module.traced");

  private static final Map<String, List<String>> AVERAGED =
      Map.ofEntries(
          Map.entry("attributes.traced", List.of("stages.2nd act")),
          Map.entry("conv1d.scripted", List.of("features", "features.8")),
          Map.entry("conv1d.traced", List.of("features", "features.8")),
          Map.entry("conv3d.scripted", List.of("features", "features.8")),
          Map.entry("conv3d.traced", List.of("features", "features.8")),
          Map.entry("gap_linear.scripted", List.of("features", "features.7")),
          Map.entry("gap_linear.traced", List.of("features", "features.7")),
          Map.entry("mobilenet_v2.scripted", List.of("features", "features.18", "features.18.2")),
          Map.entry("mobilenet_v2.traced", List.of("features", "features.18", "features.18.2")),
          Map.entry("resnet_basic.scripted", List.of("layer4", "layer4.0")),
          Map.entry("resnet_basic.traced", List.of("layer4", "layer4.0")),
          Map.entry("resnet_bottleneck.scripted", List.of("layer4", "layer4.0")),
          Map.entry("resnet_bottleneck.traced", List.of("layer4", "layer4.0")),
          Map.entry("resnet_inlined.scripted", List.of("layer4", "layer4.0")),
          Map.entry("resnet_inlined.traced", List.of("layer4", "layer4.0")),
          Map.entry("shared_module.scripted", List.of("tanh")),
          Map.entry("shufflenet_v2.scripted", List.of("conv5", "conv5.2")),
          Map.entry("shufflenet_v2.traced", List.of("conv5", "conv5.2")),
          Map.entry("swin.scripted", List.of("permute")),
          Map.entry("swin.traced", List.of("permute")));

  private static int heads;
  private static int passes;

  @TempDir Path temp;
  private boolean gradMode;

  static List<String> archives() throws IOException {
    return ReferenceArchive.names().stream()
        .filter(name -> ALL || BY_DEFAULT.contains(name))
        .toList();
  }

  @BeforeEach
  void gradients() {
    try (TorchRun engine = new TorchRun()) { // loads the library
      gradMode = JniUtils.isGradMode();
    }
    JniUtils.setGraphExecutorOptimize(!ALL);
    JniUtils.setGradMode(true);
  }

  @AfterEach
  void restore() {
    JniUtils.setGradMode(gradMode);
    JniUtils.setGraphExecutorOptimize(true);
  }

  @AfterAll
  static void print() {
    if (ALL) {
      System.out.printf("%d passes, %d of them with a head%n", passes, heads);
    }
  }

  @ParameterizedTest
  @MethodSource("archives")
  void gradient_should_be_that_of_the_whole_twin_at_every_path(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    List<String> paths =
        TorchScriptArchive.open(archive.file()).modules().stream()
            .filter(module -> module.callSites() > 0)
            .map(ModuleDescription::path)
            .toList();
    List<List<String>> layers = new ArrayList<>();
    layers.add(paths);
    paths.forEach(path -> layers.add(List.of(path)));
    List<String> wrong = new ArrayList<>();
    for (List<String> each : layers) {
      compare(archive, each, wrong);
    }
    assertThat(wrong).as(name).isEmpty();
  }

  /** All places of all archives where a map is averaged and then scored, and nothing else. */
  @Test
  void average_should_give_what_autograd_does_to_the_bit() throws Exception {
    Map<String, List<String>> averaged = new TreeMap<>();
    for (String name : ReferenceArchive.names()) {
      ReferenceArchive archive = ReferenceArchive.of(name);
      TorchScriptArchive code = TorchScriptArchive.open(archive.file());
      for (ModuleDescription module : code.modules()) {
        InstrumentedArchive copy =
            module.callSites() == 0 ? null : code.instrument(List.of(module.path()));
        // A head of a convolution and ReLU has no rows of a linear layer: RectifiedPassTest has it.
        if (copy != null
            && copy.plan().averagedMethod() != null
            && copy.plan().averagedWeight() != null) {
          averaged.computeIfAbsent(name, n -> new ArrayList<>()).add(module.path());
          compareAverage(archive, copy);
        }
      }
    }
    Map<String, List<String>> expected = new TreeMap<>(AVERAGED);
    expected.keySet().retainAll(ReferenceArchive.names()); // a clone has some archives in one form
    assertThat(averaged).isEqualTo(expected);
  }

  private void compareAverage(ReferenceArchive archive, InstrumentedArchive copy) throws Exception {
    Path file = temp.resolve("averaged.pt");
    copy.write(file);
    try (TorchRun run = new TorchRun()) {
      PtSymbolBlock block = run.load(file);
      NDList inputs = new NDList(new ArrayList<NDArray>(archive.inputs(run)));
      for (int target : new int[] {-1, archive.facts().get("score").get("class").asInt()}) {
        GradientPass pass =
            GradientPass.run(block, copy.plan(), target, inputs, false, run.manager);
        GradientPass other =
            GradientPass.run(block, copy.plan(), target, inputs, true, run.manager);
        assertThat(values(pass)).as(archive.name() + pass.labels()).isEqualTo(values(other));
      }
    }
  }

  private static List<Object> values(GradientPass pass) {
    List<Object> values = new ArrayList<>(List.of(pass.classes(), pass.labels()));
    List<NDArray> arrays = new ArrayList<>(List.of(pass.output(), pass.scores()));
    arrays.add(pass.classifierRows());
    arrays.addAll(pass.taps());
    arrays.addAll(pass.gradients());
    for (NDArray array : arrays) {
      values.add(array.getShape());
      values.add(Arrays.toString(TorchRun.floats((PtNDArray) array)));
    }
    return values;
  }

  private void compare(ReferenceArchive archive, List<String> layers, List<String> wrong)
      throws Exception {
    InstrumentedArchive instrumented = TorchScriptArchive.open(archive.file()).instrument(layers);
    TapPlan plan = instrumented.plan();
    if (plan.gradientMethod() == null) {
      return;
    }
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    String what = archive.name() + " " + layers;
    try (TorchRun run = new TorchRun()) {
      PtSymbolBlock block = run.load(copy);
      List<PtNDArray> inputs = archive.inputs(run);
      int target = archive.facts().get("score").get("class").asInt();
      TorchRun.Pass whole;
      List<PtNDArray> expected;
      try {
        whole = run.tapped(block, plan, inputs);
        PtNDArray output = (PtNDArray) run.arrays(whole.result()).get(0);
        boolean single = output.getShape().dimension() == 1;
        NDArray score = output.get(new NDIndex(single ? "{}" : ":,{}", target)).sum();
        expected = run.gradients((PtNDArray) score, whole.taps());
      } catch (EngineException e) {
        return; // the engine cannot differentiate it
      }
      NDList list = new NDList(new ArrayList<NDArray>(inputs));
      for (int i = 0; i < RUNS; i++) {
        GradientPass pass = GradientPass.run(block, plan, target, list, false, run.manager);
        passes++;
        heads += plan.headMethod() == null ? 0 : 1;
        check(what + " run " + i, pass, whole, expected, run, wrong);
      }
    }
  }

  private static void check(
      String what,
      GradientPass pass,
      TorchRun.Pass whole,
      List<PtNDArray> expected,
      TorchRun run,
      List<String> wrong) {
    if (!pass.labels().equals(whole.labels())) {
      wrong.add(what + ": " + pass.labels() + " for " + whole.labels());
      return;
    }
    float[] output = TorchRun.floats((PtNDArray) pass.output());
    if (!Arrays.equals(output, run.values(whole.result()).get(0))) {
      wrong.add(what + ": output " + Deviation.of(output, run.values(whole.result()).get(0)));
    }
    for (int i = 0; i < expected.size(); i++) {
      String tap = what + " " + pass.labels().get(i);
      double activation =
          Deviation.of(
              TorchRun.floats((PtNDArray) pass.taps().get(i)),
              TorchRun.floats(whole.taps().get(i)));
      NDArray found = pass.gradients().get(i);
      if (activation != 0) {
        wrong.add(tap + ": activation " + activation);
      }
      if ((found == null) != (expected.get(i) == null)) {
        wrong.add(tap + ": gradient " + (found == null ? "missing" : "where none flows"));
      } else if (found != null) {
        double gradient =
            Deviation.of(TorchRun.floats((PtNDArray) found), TorchRun.floats(expected.get(i)));
        if (!(gradient < ROUNDING)) {
          wrong.add(tap + ": gradient " + gradient);
        }
      }
    }
  }
}
