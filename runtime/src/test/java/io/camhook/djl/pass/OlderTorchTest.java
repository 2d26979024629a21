package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

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
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Archives written by torch 1.x, compared with hooks of PyTorch 1.13 on their models. */
class OlderTorchTest {
  private static final Path FOLDER = Path.of("src/test/resources/torchscript/old");

  /** Another build of libtorch rounds differently. */
  private static final double TOLERANCE = 1e-5;

  @TempDir Path temp;

  static List<Path> archives() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".pt")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("archives")
  void every_path_should_hold_what_hooks_of_pytorch_saw(Path file) throws Exception {
    JsonNode facts = new ObjectMapper().readTree(FOLDER.resolve("small.json").toFile());
    InstrumentedArchive instrumented = everyPath(file);
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      List<PtNDArray> inputs =
          List.of(
              run.array(
                  Tensor.ofFloats(floats(facts.at("/input/values")), shape(facts.at("/input")))));
      float[] plain = run.values(run.plain(run.load(file), inputs)).get(0);
      assertThat(Deviation.of(plain, floats(facts.get("logits")))).isLessThan(TOLERANCE);

      PtSymbolBlock block = run.load(copy);
      TorchRun.Pass pass = run.tapped(block, instrumented.plan(), inputs);
      for (int i = 0; i < 2; i++) { // the JIT specialises after the first runs
        pass = run.tapped(block, instrumented.plan(), inputs);
      }
      PtNDArray logits = (PtNDArray) run.arrays(pass.result()).get(0);
      assertThat(TorchRun.floats(logits)).containsExactly(plain);
      PtNDArray score = (PtNDArray) logits.get(0).get(facts.get("class").asInt()).sum();
      compare(facts, pass, run.gradients(score, pass.taps()));
      assertThat(run.values(run.plain(block, inputs)).get(0)).containsExactly(plain);
    }
  }

  private static void compare(JsonNode facts, TorchRun.Pass pass, List<PtNDArray> gradients) {
    List<String> labels = pass.labels().stream().map(TapPlan.Label::toString).toList();
    List<String> expected = new ArrayList<>();
    facts.get("activations").fieldNames().forEachRemaining(expected::add);
    assertThat(labels).containsExactlyInAnyOrderElementsOf(expected);
    for (int i = 0; i < labels.size(); i++) {
      String label = labels.get(i);
      assertThat(
              Deviation.of(
                  TorchRun.floats(pass.taps().get(i)), floats(facts.at("/activations").get(label))))
          .as("activation of " + label)
          .isLessThan(TOLERANCE);
      assertThat(
              Deviation.of(
                  TorchRun.floats(gradients.get(i)), floats(facts.at("/gradients").get(label))))
          .as("gradient of " + label)
          .isLessThan(TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("archives")
  void suffix_should_give_the_logits_of_the_whole(Path file) throws Exception {
    JsonNode facts = new ObjectMapper().readTree(FOLDER.resolve("small.json").toFile());
    InstrumentedArchive instrumented = everyPath(file);
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    Map<String, String> methods = instrumented.plan().resumeMethods();
    assertThat(methods)
        .containsKeys("stem", "blocks.0", "blocks.1", "drop", "fc")
        .doesNotContainKey("again"); // called twice
    try (TorchRun run = new TorchRun()) {
      PtSymbolBlock block = run.load(copy);
      PtNDArray activation =
          run.array(Tensor.ofFloats(floats(facts.at("/activations").get("blocks.0")), 1, 8, 4, 3));
      float[] logits =
          run.values(ModuleCalls.run(block, methods.get("blocks.0"), new NDList(activation), false))
              .get(0);
      assertThat(Deviation.of(logits, floats(facts.get("logits")))).isLessThan(TOLERANCE);
    }
  }

  private static InstrumentedArchive everyPath(Path file) throws IOException {
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    return archive.instrument(
        archive.modules().stream()
            .filter(module -> module.callSites() > 0)
            .map(ModuleDescription::path)
            .toList());
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    Iterator<JsonNode> each = array.elements();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) each.next().asDouble();
    }
    return values;
  }

  private static long[] shape(JsonNode input) {
    long[] shape = new long[input.get("shape").size()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = input.get("shape").get(i).asLong();
    }
    return shape;
  }
}
