package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Parts of the TorchScript language, each in an archive of torch 1.13, compared with Python's
 * hooks.
 */
class LanguageFeaturesTest {
  private static final Path FOLDER = Path.of("src/test/resources/torchscript/features");

  /** Another build of libtorch rounds differently. */
  private static final double TOLERANCE = 1e-6;

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "enum_attribute.traced",
        "fork.scripted",
        "forward_hooks.scripted",
        "interface.scripted",
        "keyword_arguments.scripted",
        "loops.scripted",
        "scripted_in_traced.traced",
        "structures.scripted"
      })
  void every_call_should_hold_what_hooks_of_pytorch_saw(String name) throws Exception {
    JsonNode facts = new ObjectMapper().readTree(FOLDER.resolve("features.json").toFile());
    TorchScriptArchive archive = TorchScriptArchive.open(FOLDER.resolve(name + ".pt"));
    InstrumentedArchive instrumented = archive.instrument(called(archive));
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      List<PtNDArray> input = List.of(run.array(Tensor.ofFloats(floats(facts.get("input")), 2, 4)));
      float[] plain = run.values(run.plain(run.load(FOLDER.resolve(name + ".pt")), input)).get(0);
      PtSymbolBlock block = run.load(copy);
      for (int i = 0; i < 3; i++) { // the JIT specialises after the first runs
        TorchRun.Pass pass = run.tapped(block, instrumented.plan(), input);
        assertThat(run.values(pass.result()).get(0)).containsExactly(plain);
        compare(name, facts.at("/models").get(name), pass);
      }
      assertThat(run.values(run.plain(block, input)).get(0)).containsExactly(plain);
      resume(run.load(copy), instrumented.plan(), input, plain, run);
    }
  }

  private static void compare(String name, JsonNode expected, TorchRun.Pass pass) {
    List<String> labels = pass.labels().stream().map(TapPlan.Label::toString).toList();
    for (Map.Entry<String, JsonNode> call : expected.properties()) {
      int at = labels.indexOf(call.getKey());
      if (at < 0 && name.startsWith("fork") && call.getKey().startsWith("a")) {
        continue; // runs on another thread, so it is refused
      }
      assertThat(at).as("recorded " + call.getKey() + " of " + labels).isNotNegative();
      assertThat(Deviation.of(TorchRun.floats(pass.taps().get(at)), floats(call.getValue())))
          .as(call.getKey())
          .isLessThan(TOLERANCE);
    }
  }

  /** The suffix after every module that all data passes through. */
  private static void resume(
      PtSymbolBlock block, TapPlan plan, List<PtNDArray> input, float[] plain, TorchRun run) {
    RecordedRun record =
        RecordedRun.run(
            block, plan, new NDList(new ArrayList<NDArray>(input)), false, false, run.manager);
    for (Map.Entry<String, String> method : plan.resumeMethods().entrySet()) {
      int at = record.labels().indexOf(new TapPlan.Label(method.getKey(), 0, ""));
      NDList activation = new NDList(record.taps().get(at));
      float[] resumed =
          run.values(ModuleCalls.run(block, method.getValue(), activation, false)).get(0);
      assertThat(Deviation.of(resumed, plain)).as(method.getKey()).isLessThan(TOLERANCE);
    }
  }

  @Test
  void module_that_a_fork_runs_should_be_refused_with_the_reason() throws Exception {
    TorchScriptArchive archive = TorchScriptArchive.open(FOLDER.resolve("fork.scripted.pt"));
    assertThatThrownBy(() -> archive.instrument(List.of("a.l")))
        .isInstanceOf(ArchiveException.class)
        .hasMessageContaining("module 'a.l' is there, but forward never calls it")
        .hasMessageContaining("code that torch.jit.fork runs on another thread");
  }

  private static List<String> called(TorchScriptArchive archive) throws IOException {
    return archive.modules().stream()
        .filter(module -> module.callSites() > 0)
        .map(ModuleDescription::path)
        .toList();
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    Iterator<JsonNode> each = array.elements();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) each.next().asDouble();
    }
    return values;
  }
}
