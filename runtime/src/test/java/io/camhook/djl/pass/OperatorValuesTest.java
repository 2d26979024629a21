package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Frozen and inlined archives call no modules: their layers are the values of their operators. What
 * a module of the eager model returned is one of these values, unless freezing folded the module
 * into the next one, as it does with a convolution before a batch norm.
 */
class OperatorValuesTest {
  /** Models without a batch norm after a convolution. */
  private static final Set<String> NOTHING_TO_FOLD =
      Set.of("vit", "swin", "gap_linear", "functional_only", "recurrent", "one_conv");

  /** See {@link ReferenceArchivesTest}: oneDNN is wrong there without this. */
  @TempDir Path temp;

  static List<String> archives() throws IOException {
    return ReferenceArchive.flat().stream().toList();
  }

  /** Every value of one archive, recorded in one pass with gradients. */
  private record Recorded(Map<String, float[]> activations, Map<String, float[]> gradients) {}

  private Recorded record(ReferenceArchive archive) throws Exception {
    TorchScriptArchive opened = TorchScriptArchive.open(archive.file());
    List<String> names =
        opened.modules().stream()
            .filter(module -> module.callSites() > 0 && !module.path().equals("."))
            .map(ModuleDescription::path)
            .toList();
    InstrumentedArchive instrumented = opened.instrument(names);
    assertThat(instrumented.plan().notices()).isEmpty();
    Path copy = temp.resolve(archive.name() + ".pt");
    instrumented.write(copy);
    Map<String, float[]> activations = new LinkedHashMap<>();
    Map<String, float[]> gradients = new HashMap<>();
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      List<PtNDArray> inputs = archive.inputs(run);
      List<float[]> expected = run.values(run.plain(run.load(archive.file()), inputs));
      PtSymbolBlock block = run.load(copy);
      TorchRun.Pass pass = run.tapped(block, instrumented.plan(), inputs);
      for (int i = 0; i < 2; i++) { // the JIT specialises after the first runs
        pass = run.tapped(block, instrumented.plan(), inputs);
      }
      assertThat(run.values(pass.result())).usingRecursiveComparison().isEqualTo(expected);
      assertThat(run.values(run.plain(block, inputs)))
          .usingRecursiveComparison()
          .isEqualTo(expected);
      List<PtNDArray> found = run.gradients(archive.score(run, pass.result()), pass.taps());
      for (int i = 0; i < pass.labels().size(); i++) {
        String label = pass.labels().get(i).toString();
        activations.put(label, TorchRun.floats(pass.taps().get(i)));
        if (found.get(i) != null) {
          gradients.put(label, TorchRun.floats(found.get(i)));
        }
      }
    }
    return new Recorded(activations, gradients);
  }

  private static boolean isValue(Recorded recorded, String label, JsonNode tensor) {
    return error(recorded, label, tensor) < ArchiveProof.TOLERANCE;
  }

  /** The worse of activation and gradient; infinite where the shapes differ. */
  private static double error(Recorded recorded, String label, JsonNode tensor) {
    float[] activation = recorded.activations().get(label);
    long elements = 1;
    for (JsonNode size : tensor.get("shape")) {
      elements *= size.asLong();
    }
    if (activation.length != elements) {
      return Double.POSITIVE_INFINITY;
    }
    double error = Deviation.of(activation, tensor.get("act"), tensor.get("at"));
    float[] gradient = recorded.gradients().get(label);
    if (gradient != null && !tensor.get("grad").isNull()) {
      double of = Deviation.of(gradient, tensor.get("grad"), tensor.get("at"));
      if (tensor.has("grad_if_copied")) {
        JsonNode copied = tensor.get("grad_if_copied");
        of = Math.min(of, Deviation.of(gradient, copied, tensor.get("at")));
      }
      error = Math.max(error, of);
    }
    return error;
  }

  private void prove(String name) throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    Recorded recorded = record(archive);
    List<String> missing = new ArrayList<>();
    int found = 0;
    double worst = 0;
    for (JsonNode call : archive.facts().get("calls")) {
      for (JsonNode tensor : call.get("tensors")) {
        double error =
            recorded.activations().keySet().stream()
                .mapToDouble(label -> error(recorded, label, tensor))
                .min()
                .orElseThrow();
        if (error < ArchiveProof.TOLERANCE) {
          found++;
          worst = Math.max(worst, error);
        } else {
          missing.add(call.get("type").asText());
        }
      }
    }
    System.out.printf(
        "operators of %s: %d values, %d with a gradient; %d results of modules among them, worst"
            + " error %.1e; folded away: %d%n",
        name,
        recorded.activations().size(),
        recorded.gradients().size(),
        found,
        worst,
        missing.size());
    assertThat(found).as(name).isPositive();
    assertThat(missing).as(name).allMatch(type -> type.matches(".*Conv\\dd"));
    if (name.contains(".inlined") || NOTHING_TO_FOLD.contains(ReferenceArchive.model(name))) {
      assertThat(missing).as(name + ": nothing to fold").isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("archives")
  void values_should_be_those_of_the_eager_modules(String name) throws Exception {
    prove(name);
  }

  @Test
  void names_should_count_operators_in_order_of_execution() throws Exception {
    for (String form : List.of("frozen", "frozen_traced")) {
      ReferenceArchive archive = ReferenceArchive.of("resnet_inlined." + form);
      Recorded recorded = record(archive);
      // By hand, from torchvision's code: a block is conv, relu, conv, its sum and relu; blocks of
      // layers 2 to 4 have a convolution of their own for the residual.
      Map<String, String> modules = new LinkedHashMap<>();
      modules.put("bn1", "conv2d");
      modules.put("relu", "relu");
      modules.put("maxpool", "max_pool2d");
      modules.put("layer1.0.bn1", "conv2d#1");
      modules.put("layer1.0.bn2", "conv2d#2");
      modules.put("layer1", "relu#2");
      modules.put("layer2.0.downsample.1", "conv2d#5");
      modules.put("layer2", "relu#4");
      modules.put("layer3.0.bn2", "conv2d#7");
      modules.put("layer4.0.bn1", "conv2d#9");
      modules.put("layer4", "relu#8");
      modules.put("avgpool", "adaptive_avg_pool2d");
      modules.put("fc", "linear");
      for (Map.Entry<String, String> module : modules.entrySet()) {
        JsonNode tensor = null;
        for (JsonNode call : archive.facts().get("calls")) {
          if (call.get("path").asText().equals(module.getKey()) && call.get("call").asInt() == 0) {
            tensor = call.get("tensors").get(0);
          }
        }
        assertThat(isValue(recorded, module.getValue(), tensor)).as(form + " " + module).isTrue();
      }
    }
  }

  /**
   * Modules of inlined archives that are no layers, because the code does not tell which value is
   * theirs: those without weights that are called next to others of their kind, those that return
   * one of two values that are both made, and in a trace those that are handed on as arguments.
   */
  private static final Map<String, List<String>> UNCLEAR =
      Map.of(
          "one_conv.inlined", List.of("relu1", "relu2"),
          "unet.inlined", List.of("pool"),
          "residual_inplace.inlined", List.of("relu"),
          "attributes_scriptable.inlined", List.of("stages.1"),
          "shared_module.inlined_traced", List.of("tanh", "wrap", "wrap.1"),
          "densenet.inlined",
              List.of(
                  "features.denseblock1.denselayer1",
                  "features.denseblock1.denselayer2",
                  "features.denseblock2.denselayer1",
                  "features.denseblock2.denselayer2",
                  "features.denseblock3.denselayer1",
                  "features.denseblock3.denselayer2",
                  "features.denseblock4.denselayer1",
                  "features.denseblock4.denselayer2"));

  static List<String> inlined() throws IOException {
    return archives().stream().filter(name -> name.contains(".inlined")).toList();
  }

  @ParameterizedTest
  @MethodSource("inlined")
  void modules_of_an_inlined_archive_should_be_other_names_of_their_values(String name)
      throws Exception {
    ReferenceArchive archive = ReferenceArchive.of(name);
    TorchScriptArchive opened = TorchScriptArchive.open(archive.file());
    Recorded recorded = record(archive);
    Map<String, List<JsonNode>> tensors = new TreeMap<>();
    for (JsonNode call : archive.facts().get("calls")) {
      for (JsonNode tensor : call.get("tensors")) {
        tensors.computeIfAbsent(call.get("path").asText(), path -> new ArrayList<>()).add(tensor);
      }
    }
    tensors.remove("");
    List<String> unclear = new ArrayList<>();
    tensors.forEach(
        (path, returned) -> {
          List<String> values = valuesOf(opened, path, recorded);
          if (values.isEmpty()) {
            unclear.add(path);
          }
          assertThat(values)
              .as(path)
              .allSatisfy(
                  value ->
                      assertThat(returned)
                          .as(value)
                          .anyMatch(tensor -> isValue(recorded, value, tensor)));
        });
    assertThat(unclear).isEqualTo(UNCLEAR.getOrDefault(name, List.of()));
  }

  /** The recorded values that a module's name means; none if it is refused. */
  private static List<String> valuesOf(TorchScriptArchive archive, String path, Recorded all) {
    List<String> values = new ArrayList<>();
    try {
      for (TapPlan.Tap tap : archive.instrument(List.of(path)).plan().taps()) {
        String name = tap.path();
        String run = Pattern.quote(name) + (name.contains("@") ? "(#\\d+)?" : "") + "(:.*)?";
        all.activations().keySet().stream().filter(v -> v.matches(run)).forEach(values::add);
      }
    } catch (ArchiveException e) {
      assertThat(e).hasMessageContaining("the graph was inlined when it was saved");
    }
    return values;
  }

  @Test
  void module_that_is_called_twice_should_have_both_values() throws Exception {
    // torchvision's BasicBlock calls its ReLU after the first norm and after the sum.
    assertThat(taps("resnet_inlined.inlined", "layer1.0.relu")).containsExactly("relu#1", "relu#2");
  }

  @Test
  void module_in_both_branches_should_have_both_values() throws Exception {
    assertThat(taps("control_flow.inlined", "head")).containsExactly("linear", "linear#1");
  }

  @Test
  void module_that_fits_several_values_should_be_refused_with_their_names() throws Exception {
    assertThatThrownBy(() -> open("one_conv.inlined").instrument(List.of("relu1")))
        .isInstanceOf(ArchiveException.class)
        .hasMessage(
            "one_conv.inlined.pt: no layer 'relu1': the graph was inlined when it was saved, and"
                + " the code does not tell which value is that module's; those that fit: relu,"
                + " relu#1");
  }

  private static List<String> taps(String archive, String layer) throws IOException {
    return open(archive).instrument(List.of(layer)).plan().taps().stream()
        .map(TapPlan.Tap::path)
        .toList();
  }

  @Test
  void other_names_should_mean_the_same_value() throws Exception {
    TorchScriptArchive frozen = open("resnet_inlined.frozen");
    for (String name : List.of("relu#8", "x6", "relu_#8")) {
      assertThat(frozen.instrument(List.of(name)).plan().taps())
          .extracting(TapPlan.Tap::path, TapPlan.Tap::type)
          .containsExactly(tuple("relu#8", "torch.relu_"));
    }
    for (String name : List.of("conv2d", "conv2d#0", "_convolution", "_convolution#0")) {
      assertThat(open("resnet_inlined.frozen_traced").instrument(List.of(name)).plan().taps())
          .extracting(TapPlan.Tap::path)
          .containsExactly("conv2d");
    }
  }

  @Test
  void unknown_name_should_be_refused_with_the_reason() throws Exception {
    assertThatThrownBy(() -> open("resnet_inlined.frozen").instrument(List.of("layer9")))
        .isInstanceOf(ArchiveException.class)
        .hasMessageStartingWith(
            "resnet_inlined.frozen.pt: no layer 'layer9': the archive was frozen")
        .hasMessageEndingWith("its layers are the values of its operators");
  }

  private static TorchScriptArchive open(String name) throws IOException {
    return TorchScriptArchive.open(ReferenceArchive.of(name).file());
  }
}
