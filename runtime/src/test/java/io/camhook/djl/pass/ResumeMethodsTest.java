package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The suffix of a model, run from what a module returned. The text of the methods is what is
 * tested, so the JIT does not optimise them here: compiling hundreds of suffixes takes minutes.
 */
class ResumeMethodsTest {
  private static final boolean ALL = System.getProperty("camhook.archives", "").equals("all");

  private static final double ROUNDING = 1e-6;

  /**
   * A batch may use other kernels, which add in another order: the tolerance is the difference of
   * the whole model.
   */
  private static final double BATCH_FACTOR = 3;

  private static final Set<String> BY_DEFAULT =
      Set.of(
          "control_flow.scripted",
          "conv1d.scripted",
          "gap_linear.traced",
          "non_contiguous.traced",
          "resnet_inlined.scripted",
          "shared_module.traced",
          "unet.scripted",
          "vit.traced");

  @TempDir Path temp;

  static List<String> archives() throws IOException {
    return ReferenceArchive.names().stream()
        .filter(name -> ALL || BY_DEFAULT.contains(name))
        .filter(name -> !name.startsWith("namedtuple_output")) // DJL cannot convert its result
        .toList();
  }

  @BeforeEach
  void interpret() {
    Engine.getEngine("PyTorch"); // loads the library
    JniUtils.setGraphExecutorOptimize(false);
  }

  @AfterEach
  void optimise() {
    JniUtils.setGraphExecutorOptimize(true);
  }

  @ParameterizedTest
  @MethodSource("archives")
  void resumed_model_should_give_the_outputs_of_the_whole(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    InstrumentedArchive instrumented = archive.everyPath();
    Path copy = temp.resolve(name + ".pt");
    instrumented.write(copy);
    TapPlan plan = instrumented.plan();
    try (TorchRun run = new TorchRun()) {
      PtSymbolBlock block = run.load(copy);
      List<PtNDArray> inputs = archive.inputs(run);
      List<PtNDArray> others = inputs.stream().map(i -> (PtNDArray) i.flip(-1).mul(0.7f)).toList();
      RecordedRun pass = pass(block, plan, inputs, run);
      RecordedRun other = pass(block, plan, others, run);
      double moves = batchDeviation(block, inputs, run);
      boolean batches = moves < 1e-3;
      double close = Math.max(ROUNDING, BATCH_FACTOR * moves);
      Map<String, String> wrong = new HashMap<>();
      for (Map.Entry<String, String> method : plan.resumeMethods().entrySet()) {
        int at = pass.labels().indexOf(new TapPlan.Label(method.getKey(), 0, ""));
        PtNDArray a = (PtNDArray) pass.taps().get(at);
        PtNDArray b = (PtNDArray) other.taps().get(at);
        // The second input shows that nothing of the first was kept.
        compare(
            method.getKey(),
            resume(block, method.getValue(), a, run),
            values(pass),
            ROUNDING,
            wrong);
        compare(
            method.getKey(),
            resume(block, method.getValue(), b, run),
            values(other),
            ROUNDING,
            wrong);
        if (batches) {
          compareBatch(block, method, List.of(a, b, half(a), half(b)), run, close, wrong);
        }
      }
      assertThat(wrong).as(name).isEmpty();
      if (ALL) {
        System.out.printf(
            "%-32s %3d of %3d paths can be resumed%s%n",
            name,
            plan.resumeMethods().size(),
            plan.taps().size(),
            batches ? ", in batches too" : "");
      }
    }
  }

  @Test
  void module_that_data_goes_around_should_have_no_resume_method() throws Exception {
    Map<String, String> methods =
        ReferenceArchive.of("resnet_basic.scripted").everyPath().plan().resumeMethods();
    // x + f(x): all data passes through the block, but not through the modules in it.
    assertThat(methods).containsKeys("layer1", "layer1.0", "layer4", "avgpool", "fc");
    assertThat(methods)
        .doesNotContainKeys("layer1.0.conv1", "layer2.0.downsample", "layer4.0.bn2", ".");
    assertThat(ReferenceArchive.of("unet.scripted").everyPath().plan().resumeMethods())
        .doesNotContainKeys("enc2", "bottleneck", "up2", "pool")
        .containsKeys("enc1", "dec1", "classify"); // enc1 goes two ways, both after it
  }

  @Test
  void suffix_that_a_branch_or_loop_decides_on_should_have_no_resume_method() throws Exception {
    // After the stem, an argument of the model itself decides which modules run.
    assertThat(ReferenceArchive.of("control_flow.scripted").everyPath().plan().resumeMethods())
        .isEmpty();
    Map<String, String> methods =
        TorchScriptArchive.open(
                Path.of("src/test/resources/torchscript/features/loops.scripted.pt"))
            .instrument(List.of("layers.0", "layers.2", "named.first", "rec"))
            .plan()
            .resumeMethods();
    assertThat(methods).containsOnlyKeys("layers.0", "layers.2", "named.first"); // not rec
  }

  private static RecordedRun pass(
      PtSymbolBlock block, TapPlan plan, List<PtNDArray> inputs, TorchRun run) {
    return RecordedRun.run(
        block, plan, new NDList(new ArrayList<NDArray>(inputs)), false, false, run.manager);
  }

  /** Of four copies of the input together from one alone; infinite where batches do not work. */
  private static double batchDeviation(PtSymbolBlock block, List<PtNDArray> inputs, TorchRun run) {
    List<PtNDArray> four = inputs.stream().map(i -> (PtNDArray) i.repeat(0, 4)).toList();
    try {
      float[] one = run.values(run.plain(block, inputs)).get(0);
      float[] all = run.values(run.plain(block, four)).get(0);
      if (all.length != 4 * one.length) {
        return Double.POSITIVE_INFINITY;
      }
      return Deviation.of(Arrays.copyOfRange(all, all.length - one.length, all.length), one);
    } catch (EngineException e) {
      return Double.POSITIVE_INFINITY; // a trace may have the batch size in it
    }
  }

  private static void compareBatch(
      PtSymbolBlock block,
      Map.Entry<String, String> method,
      List<PtNDArray> each,
      TorchRun run,
      double tolerance,
      Map<String, String> wrong) {
    PtNDArray batch = (PtNDArray) NDArrays.concat(new NDList(new ArrayList<NDArray>(each)), 0);
    List<float[]> together = resume(block, method.getValue(), batch, run);
    List<float[]> alone = new ArrayList<>();
    for (PtNDArray one : each) {
      List<float[]> outputs = resume(block, method.getValue(), one, run);
      for (int i = 0; i < outputs.size(); i++) {
        if (alone.size() <= i) {
          alone.add(new float[0]);
        }
        float[] before = alone.get(i);
        float[] joined = Arrays.copyOf(before, before.length + outputs.get(i).length);
        System.arraycopy(outputs.get(i), 0, joined, before.length, outputs.get(i).length);
        alone.set(i, joined);
      }
    }
    compare(method.getKey() + " in a batch", together, alone, tolerance, wrong);
  }

  private static PtNDArray half(PtNDArray array) {
    return (PtNDArray) array.mul(0.5f).toType(array.getDataType(), false);
  }

  private static List<float[]> resume(
      PtSymbolBlock block, String method, PtNDArray activation, TorchRun run) {
    try (IValue result = ModuleCalls.run(block, method, new NDList(activation), false)) {
      return run.values(result);
    }
  }

  private static List<float[]> values(RecordedRun pass) {
    Map<String, float[]> byName = new TreeMap<>();
    for (NDArray output : pass.outputs()) {
      String key = output.getName() == null ? "" + byName.size() : output.getName();
      byName.put(key, TorchRun.floats((PtNDArray) output));
    }
    return List.copyOf(byName.values());
  }

  private static void compare(
      String what,
      List<float[]> found,
      List<float[]> expected,
      double tolerance,
      Map<String, String> wrong) {
    for (int i = 0; i < expected.size(); i++) {
      double error =
          found.size() == expected.size()
              ? Deviation.of(found.get(i), expected.get(i))
              : Double.POSITIVE_INFINITY;
      if (!(error <= tolerance)) {
        wrong.put(what, "output " + i + ": " + error);
      }
    }
  }
}
