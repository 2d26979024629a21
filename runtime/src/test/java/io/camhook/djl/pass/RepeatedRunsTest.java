package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The JIT re-specialises a method after its first runs, and threads share the result. The normal
 * run takes some archives, {@code -Parchives} all.
 */
class RepeatedRunsTest {
  private static final boolean ALL = System.getProperty("camhook.archives", "").equals("all");

  private static final Set<String> BY_DEFAULT =
      Set.of(
          "control_flow.scripted",
          "residual_inplace.traced",
          "tuple_module.scripted",
          "unet.scripted");

  private static final int RUNS = 50;
  private static final int THREADS = 4;

  /** The backward pass of a specialised graph may be fused, and then adds in another order. */
  private static final double FUSED_GRADIENT = 1e-6;

  @TempDir Path temp;

  static List<String> archives() throws IOException {
    return ReferenceArchive.names().stream()
        .filter(name -> ALL || BY_DEFAULT.contains(name))
        .filter(name -> !name.startsWith("namedtuple_output")) // DJL returns it in any order
        .toList();
  }

  @ParameterizedTest
  @MethodSource("archives")
  void later_run_should_give_what_the_first_gave(String name) throws Exception {
    repeat(name);
  }

  private void repeat(String name) throws Exception {
    Model model = load(name);
    boolean before = JniUtils.isGradMode();
    try (model.run) {
      JniUtils.setGradMode(true);
      Values first = pass(model);
      assertThat(first.values()).isNotEmpty();
      assertThat(first.gradients().isEmpty()).isNotEqualTo(model.archive().hasGradients());
      for (int i = 1; i < RUNS; i++) {
        assertSame(name + " run " + i, pass(model), first);
      }
      ExecutorService threads = Executors.newFixedThreadPool(THREADS);
      try {
        List<Callable<List<Values>>> work = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          work.add(() -> passes(model));
        }
        for (Future<List<Values>> each : threads.invokeAll(work)) {
          for (Values found : each.get()) {
            assertSame(name + " in a thread", found, first);
          }
        }
      } finally {
        threads.shutdown();
      }
    } finally {
      JniUtils.setGradMode(before);
    }
  }

  private record Model(ReferenceArchive archive, TorchRun run, PtSymbolBlock block, TapPlan plan) {}

  private Model load(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    InstrumentedArchive instrumented = archive.everyPath();
    Path copy = temp.resolve(name + ".pt");
    instrumented.write(copy);
    TorchRun run = new TorchRun();
    return new Model(archive, run, run.load(copy), instrumented.plan());
  }

  private static List<Values> passes(Model model) throws Exception {
    JniUtils.setGradMode(true); // each thread has its own
    List<Values> results = new ArrayList<>();
    for (int i = 0; i < RUNS / THREADS; i++) {
      results.add(pass(model));
    }
    return results;
  }

  /** Outputs with activations; gradients, an empty array where none flows. */
  private record Values(List<float[]> values, List<float[]> gradients) {}

  private static Values pass(Model model) throws Exception {
    try (TorchRun run = new TorchRun()) {
      List<PtNDArray> inputs = model.archive.inputs(run);
      TorchRun.Pass pass = run.tapped(model.block, model.plan, inputs);
      List<float[]> values = new ArrayList<>(run.values(pass.result()));
      pass.taps().forEach(tap -> values.add(TorchRun.floats(tap)));
      List<float[]> gradients = new ArrayList<>();
      if (!model.archive.hasGradients()) {
        return new Values(values, gradients);
      }
      PtNDArray score = model.archive.score(run, pass.result());
      for (PtNDArray gradient : run.gradients(score, pass.taps())) {
        gradients.add(gradient == null ? new float[0] : TorchRun.floats(gradient));
      }
      return new Values(values, gradients);
    }
  }

  private static void assertSame(String what, Values found, Values first) {
    assertThat(found.values()).as(what).hasSameSizeAs(first.values());
    for (int i = 0; i < first.values().size(); i++) {
      assertThat(found.values().get(i)).as(what).isEqualTo(first.values().get(i));
    }
    assertThat(found.gradients()).as(what).hasSameSizeAs(first.gradients());
    for (int i = 0; i < first.gradients().size(); i++) {
      assertThat(Deviation.of(found.gradients().get(i), first.gradients().get(i)))
          .as(what + ", gradient " + i)
          .isLessThan(FUSED_GRADIENT);
    }
  }
}
