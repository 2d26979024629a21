package io.camhook.djl.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Safetensors;
import io.camhook.torchscript.Instrumented;
import io.camhook.torchscript.ModuleInfo;
import io.camhook.torchscript.TapPlan.Label;
import io.camhook.torchscript.TorchScriptArchive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every module call of the reference archives against what PyTorch 2.13 saw there. Archives above
 * 60 kB only with {@code -Dcamhook.archives=all}.
 *
 * <p>libtorch 2.7.1 itself computes some convolutions of unet (forward) and densenet (backward)
 * wrongly on some processors, also in the model as it was. So the un-instrumented model is compared
 * first: what it gets wrong cannot be asked of the taps.
 */
class ReferenceArchivesTest {
  private static final Path FOLDER =
      Path.of(System.getProperty("camhook.reference", ""), "torchscript");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double TOLERANCE = 1e-4;

  @TempDir Path temp;

  static List<Path> archives() throws Exception {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    long limit = System.getProperty("camhook.archives", "").equals("all") ? Long.MAX_VALUE : 60_000;
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .filter(f -> f.toString().endsWith(".pt") && f.toFile().length() < limit)
          .filter(f -> !f.toString().contains("resnet_inlined.frozen"))
          .filter(f -> !f.toString().contains("resnet_inlined.inlined"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("archives")
  void activation_and_gradient_should_be_those_of_pytorch(Path file) throws Exception {
    String name = file.getFileName().toString().replace(".pt", "");
    String model = name.substring(0, name.indexOf('.'));
    JsonNode facts = JSON.readTree(FOLDER.resolve(model + ".json").toFile());
    JsonNode form = facts.get("archives").get(name.substring(name.indexOf('.') + 1));
    Safetensors tensors = Safetensors.read(FOLDER.resolve(model + ".safetensors"));
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    Instrumented instrumented = archive.instrument(calledPaths(archive));
    Path copy = temp.resolve(name + ".pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      List<PtNDArray> inputs = new ArrayList<>();
      for (JsonNode input : facts.get("inputs")) {
        String key = input.get("tensor").asText();
        inputs.add(run.array(Objects.requireNonNull(tensors.tensors().get(key))));
      }
      PtSymbolBlock plain = run.load(file);
      PtSymbolBlock block = run.load(copy);
      // On a copy: what the JIT specialises for gradients fails in inference mode later.
      Engine engine = engine(run, run.load(file), inputs, facts, form, tensors);
      List<float[]> expected = values(run, run.plain(plain, inputs));
      TorchRun.Pass pass = run.tapped(block, instrumented.plan(), inputs);
      for (int i = 0; i < 3; i++) { // the JIT specialises after the first runs
        pass = run.tapped(block, instrumented.plan(), inputs);
      }
      // LSTM and GRU without gradients are another kernel of the engine than with them.
      if (!model.equals("recurrent")) {
        assertSame(values(run, pass.result()), expected);
      }
      assertSame(values(run, run.plain(block, inputs)), expected);
      List<PtNDArray> gradients =
          form.has("backward_error")
              ? null
              : run.gradients(score(run, pass.result(), facts), pass.taps());
      check(name, facts, form, pass, gradients, engine);
    }
  }

  /** What the un-instrumented model gets right. */
  private record Engine(boolean output, boolean gradient) {}

  private static Engine engine(
      TorchRun run,
      PtSymbolBlock plain,
      List<PtNDArray> inputs,
      JsonNode facts,
      JsonNode form,
      Safetensors tensors)
      throws Exception {
    PtNDArray input = (PtNDArray) inputs.get(0).duplicate();
    input.setRequiresGradient(true);
    NDList list = new NDList(new ArrayList<NDArray>(inputs));
    list.set(0, input);
    IValue result = ModuleCalls.run(plain, "forward", list, true);
    PtNDArray score = score(run, result, facts);
    double value = facts.get("score").get("value").asDouble();
    boolean output = Math.abs(floats(score)[0] - value) < 0.01 * Math.abs(value);
    var reference = tensors.tensors().get(inputs.size() == 1 ? "input_grad" : "input_grad0");
    if (form.has("backward_error") || reference == null) {
      return new Engine(output, true);
    }
    PtNDArray gradient = run.gradients(score, List.of(input)).get(0);
    double error = relative(floats(gradient), reference.toFloats());
    return new Engine(output, error < 0.05);
  }

  private static void check(
      String name,
      JsonNode facts,
      JsonNode form,
      TorchRun.Pass pass,
      List<PtNDArray> gradients,
      Engine engine) {
    Map<String, Integer> found = new HashMap<>();
    for (int i = 0; i < pass.labels().size(); i++) {
      found.put(pass.labels().get(i).toString(), i);
    }
    Set<String> unavailable = new HashSet<>();
    form.get("unavailable").forEach(u -> unavailable.add(u.asText()));
    List<Double> errors = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    for (JsonNode call : facts.get("calls")) {
      for (JsonNode tensor : call.get("tensors")) {
        String path = call.get("path").asText();
        String key = tensor.get("key").asText();
        String label =
            new Label(path.isEmpty() ? "." : path, call.get("call").asInt(), key).toString();
        if (unavailable.contains(label)) {
          continue;
        }
        String known = form.get("known_in_archive_as").path(label).asText(label);
        Integer at = found.getOrDefault(known, found.get(label));
        assertThat(at).as(name + " recorded " + label).isNotNull();
        double act = compare(tensor.get("act"), tensor.get("at"), floats(pass.taps().get(at)));
        errors.add(act);
        if (!(act < TOLERANCE)) {
          wrong.add(label + " activation " + act);
        }
        if (gradients != null && !tensor.get("grad").isNull() && !path.isEmpty()) {
          PtNDArray gradient = gradients.get(at);
          assertThat(gradient).as(name + " gradient of " + label).isNotNull();
          double grad = compare(tensor.get("grad"), tensor.get("at"), floats(gradient));
          if (tensor.has("grad_if_copied")) {
            JsonNode copied = tensor.get("grad_if_copied");
            grad = Math.min(grad, compare(copied, tensor.get("at"), floats(gradient)));
          }
          errors.add(grad);
          if (!(grad < TOLERANCE)) {
            wrong.add(label + " gradient " + grad);
          }
        }
      }
    }
    errors.sort(null);
    System.out.printf(
        "%-32s %4d values, median %.1e, worst %.1e%s%n",
        name,
        errors.size(),
        errors.get(errors.size() / 2),
        errors.get(errors.size() - 1),
        engine.output() && engine.gradient() ? "" : " (the engine's own kernels are wrong)");
    if (engine.output() && engine.gradient()) {
      assertThat(wrong).as(name).isEmpty();
    }
  }

  private static List<String> calledPaths(TorchScriptArchive archive) {
    return archive.modules().stream().filter(m -> m.callSites() > 0).map(ModuleInfo::path).toList();
  }

  private static PtNDArray score(TorchRun run, IValue result, JsonNode facts) {
    String output = facts.get("score").get("output").asText();
    for (NDArray array : arrays(run, result)) {
      if (output.isEmpty() || array.getName() == null || output.equals(array.getName())) {
        return (PtNDArray) array.get(0).get(facts.get("score").get("class").asInt()).sum();
      }
    }
    throw new AssertionError("no output " + output);
  }

  private static List<NDArray> arrays(TorchRun run, IValue result) {
    if (!result.isTuple()) {
      return result.toNDList(run.manager);
    }
    List<NDArray> list = new ArrayList<>();
    for (IValue value : result.toIValueTuple()) {
      if (value.isTensor()) {
        list.addAll(value.toNDList(run.manager));
      }
    }
    return list;
  }

  private static List<float[]> values(TorchRun run, IValue result) {
    Map<String, float[]> byName = new TreeMap<>();
    for (NDArray array : arrays(run, result)) {
      String key = array.getName() == null ? "" + byName.size() : array.getName();
      byName.put(key, floats((PtNDArray) array));
    }
    return List.copyOf(byName.values());
  }

  private static void assertSame(List<float[]> found, List<float[]> expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.size(); i++) {
      assertThat(Arrays.equals(found.get(i), expected.get(i))).as("bit-identical").isTrue();
    }
  }

  private static float[] floats(PtNDArray array) {
    return array.toType(DataType.FLOAT32, false).toFloatArray();
  }

  private static double relative(float[] found, float[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) found[i] - expected[i], 2);
      norm += (double) expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }

  /** The worst of: L2 norm, mean of absolute values, L2 distance of the sample; all relative. */
  private static double compare(JsonNode expected, JsonNode at, float[] found) {
    double squares = 0;
    double absolutes = 0;
    for (float f : found) {
      squares += (double) f * f;
      absolutes += Math.abs(f);
    }
    double l2 = expected.get("l2").asDouble();
    double mean = expected.get("absmean").asDouble();
    double difference = 0;
    double sample = 0;
    for (int i = 0; i < at.size(); i++) {
      double e = expected.get("sample").get(i).asDouble();
      difference += Math.pow(found[at.get(i).asInt()] - e, 2);
      sample += e * e;
    }
    // A sample of near zeros is measured by the size of a typical element.
    double typical = 0.1 * l2 * Math.sqrt((double) at.size() / found.length);
    double scale = Math.max(Math.max(Math.sqrt(sample), typical), Float.MIN_NORMAL);
    double error = Math.sqrt(difference) / scale;
    error = Math.max(error, Math.abs(Math.sqrt(squares) - l2) / Math.max(l2, Float.MIN_NORMAL));
    double meanError = Math.abs(absolutes / found.length - mean);
    return Math.max(error, meanError / Math.max(mean, Float.MIN_NORMAL));
  }
}
