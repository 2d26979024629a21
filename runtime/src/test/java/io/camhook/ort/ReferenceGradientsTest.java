package io.camhook.ort;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations and gradients of ONNX files against those that PyTorch computed. */
@EnabledIf("present")
class ReferenceGradientsTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", "../shared/reference"));

  static boolean present() {
    return Files.isDirectory(REFERENCE.resolve("onnx"));
  }

  static Stream<String> models() throws IOException {
    try (Stream<Path> files = Files.list(REFERENCE.resolve("onnx"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".onnx"))
          .map(name -> name.substring(0, name.length() - 5))
          .sorted()
          .toList()
          .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void values_should_equal_pytorchs(String name) throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode onnx = json.readTree(REFERENCE.resolve("onnx/" + name + ".json").toFile());
    JsonNode of =
        json.readTree(REFERENCE.resolve("torchscript/" + onnx.get("of").asText()).toFile());
    Map<String, Tensor> tensors =
        Safetensors.read(
                REFERENCE.resolve(
                    "torchscript/" + onnx.get("of").asText().replace(".json", ".safetensors")))
            .tensors();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtModel model =
        OrtModel.of(
            environment, OnnxModel.read(REFERENCE.resolve("onnx/" + name + ".onnx")), null, 1);
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (JsonNode input : onnx.get("inputs")) {
      Tensor values = tensors.get(input.asText());
      inputs.put(
          input.asText(), OrtTensors.tensor(environment, values, model.element(input.asText())));
    }
    String score = onnx.get("scores").asText();
    Map<String, String> refused = new LinkedHashMap<>();
    OnnxModules modules = OnnxModules.of(model.model(), model.types());
    Set<String> available = new LinkedHashSet<>();
    onnx.get("available").forEach(path -> available.add(path.asText()));
    Map<String, String> taps = new LinkedHashMap<>();
    List<String> wrong = new ArrayList<>();
    for (JsonNode call : of.get("calls")) {
      String path = call.get("path").asText();
      String label = path + (call.get("call").asInt() == 0 ? "" : "#" + call.get("call").asInt());
      try {
        if (!path.isEmpty()) {
          taps.put(label, String.valueOf(modules.resolve(label).value()));
        }
      } catch (OnnxException e) {
        refused.put(label, e.getMessage());
      }
    }
    for (String path : available) {
      if (!taps.containsKey(path)) {
        wrong.add(path + " refused: " + refused.get(path));
      }
    }
    GradientModel gradient = model.gradient(new LinkedHashSet<>(taps.values()), score);
    Tensor scores;
    try (OrtSession plain = model.session(model.model());
        OrtSession.Result result = plain.run(OrtModel.only(inputs, plain.getInputNames()))) {
      scores = OrtTensors.copied(result.get(score).orElseThrow()).orElseThrow();
    }
    inputs.put(
        GradientModel.SEED,
        OrtTensors.tensor(environment, seed(scores, of.get("score")), model.element(score)));
    double worst = 0;
    try (OrtSession side = model.session(gradient.model());
        OrtSession.Result result = side.run(OrtModel.only(inputs, side.getInputNames()))) {
      for (Map.Entry<String, String> entry : taps.entrySet()) {
        String path = entry.getKey();
        String tap = entry.getValue();
        JsonNode expected = call(of, path);
        Tensor a = OrtTensors.copied(result.get(tap).orElseThrow()).orElseThrow();
        double error = error(a, expected, "act");
        if (gradient.gradientOf(tap).isEmpty() && !expected.get("grad").isNull()) {
          wrong.add(path + " without gradient: " + gradient.refusals().get(tap));
        } else if (!expected.get("grad").isNull()) {
          Tensor g =
              OrtTensors.copied(result.get(gradient.gradientOf(tap).get()).orElseThrow())
                  .orElseThrow();
          error = Math.max(error, error(g, expected, "grad"));
        }
        worst = Math.max(worst, error);
        if (error > 1e-4) {
          wrong.add(path + " as " + tap + " " + error);
        }
      }
    }
    System.out.printf(
        "%s: right %d, refused %d, wrong %d, worst %.1e%n",
        name, taps.size() - wrong.size(), refused.size(), wrong.size(), worst);
    assertThat(wrong).isEmpty();
  }

  private static Tensor seed(Tensor scores, JsonNode score) {
    int target = score.get("class").asInt();
    long[] shape = scores.shape();
    float[] seed = new float[(int) scores.elements()];
    int positions = 1;
    for (int i = 2; i < shape.length; i++) {
      positions *= (int) shape[i];
    }
    for (int p = 0; p < positions; p++) {
      seed[target * positions + p] = 1;
    }
    return Tensor.ofFloats(seed, shape);
  }

  private static JsonNode call(JsonNode of, String path) {
    String[] parts = path.split("#");
    int number = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    for (JsonNode call : of.get("calls")) {
      boolean named = call.get("path").asText().equals(parts[0]);
      for (JsonNode alias : call.path("aliases")) {
        named |= alias.asText().equals(parts[0]);
      }
      if (named && call.get("call").asInt() == number) {
        return call.get("tensors").get(0);
      }
    }
    throw new IllegalArgumentException(path);
  }

  /** The largest difference of a sampled value, by the mean absolute value. */
  private static double error(Tensor found, JsonNode expected, String kind) {
    JsonNode values = expected.get(kind);
    float[] all = found.toFloats();
    double worst = 0;
    double scale = values.get("absmean").asDouble() + 1e-30;
    for (int i = 0; i < expected.get("at").size(); i++) {
      double value = all[expected.get("at").get(i).asInt()];
      double wanted = values.get("sample").get(i).asDouble();
      worst = Math.max(worst, Math.abs(value - wanted) / Math.max(scale, Math.abs(wanted)));
    }
    return worst;
  }
}
