package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.ReferenceCase;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kinds of models and inputs that people have, through the command as they would type it,
 * compared with values of plain PyTorch. {@code -Dcamhook.cases=DIR} takes another set of {@code
 * make_cases.py}.
 */
class CasesTest {
  private static final double LIMIT = 1e-3;

  /** Fifty steps against the two hundred of the reference. */
  private static final double INTEGRATED_LIMIT = 1e-2;

  @TempDir Path directory;

  @TestFactory
  List<DynamicTest> cases_should_be_those_of_pytorch() throws IOException {
    Path folder = folder();
    Path list = folder.resolve("cases.json");
    if (!Files.exists(list)) {
      return List.of(
          DynamicTest.dynamicTest(
              "reference data",
              () -> org.junit.jupiter.api.Assumptions.abort("no cases in " + folder)));
    }
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : new ObjectMapper().readTree(list.toFile()).get("cases")) {
      String only = System.getProperty("camhook.case", "");
      if (!only.isEmpty() && !List.of(only.split(",")).contains(one.get("name").asText())) {
        continue;
      }
      tests.add(DynamicTest.dynamicTest(one.get("name").asText(), () -> new Case(one).check()));
    }
    return tests;
  }

  private static Path folder() {
    String other = System.getProperty("camhook.cases");
    return other != null
        ? Path.of(other)
        : Path.of(System.getProperty("camhook.reference", "reference"), "cases");
  }

  /** One entry of cases.json. */
  private final class Case {
    private final JsonNode doc;
    private final String name;
    private final Path model;
    private final Path input;

    Case(JsonNode doc) {
      this.doc = doc;
      this.name = doc.get("name").asText();
      this.model = folder().resolve(name + ".pt");
      Path png = folder().resolve(name + ".png");
      this.input = Files.exists(png) ? png : folder().resolve(name + ".safetensors");
    }

    void check() throws IOException {
      Set<String> layers = new LinkedHashSet<>(texts("layers"));
      Set<String> methods = new LinkedHashSet<>(texts("methods"));
      Path file = folder().resolve(name + ".expected.safetensors");
      Map<String, Tensor> expected =
          Files.exists(file) ? ReferenceCase.safetensors(file) : Map.of();
      for (String tensor : expected.keySet()) {
        String kind = tensor.substring(0, tensor.indexOf('/'));
        methods.add(method(kind));
        if (kind.equals("raw") || kind.equals("hirescam")) {
          layers.add(tensor.substring(kind.length() + 1).replaceFirst("#.*", ""));
        }
      }
      if (!expected.isEmpty() || !methods.isEmpty()) {
        Map<String, Tensor> found = explain(layers, methods);
        methods.forEach(
            method ->
                assertThat(found.keySet())
                    .as("maps of " + method)
                    .anyMatch(tensor -> tensor.startsWith("raw/" + method + "/")));
        expected.forEach((tensor, values) -> compare(tensor, values, found));
      }
      checkAuto();
      checkLayersMessage();
    }

    private static String method(String kind) {
      return switch (kind) {
        case "raw" -> "gradcam";
        case "integrated" -> "integrated-gradients";
        default -> kind;
      };
    }

    private void compare(String tensor, Tensor expected, Map<String, Tensor> found) {
      String kind = tensor.substring(0, tensor.indexOf('/'));
      boolean ofInput = kind.equals("occlusion") || kind.equals("integrated");
      String path = ofInput ? "input" : tensor.substring(kind.length() + 1);
      String wanted = "raw/" + method(kind) + "/" + path;
      assertThat(found).containsKey(wanted);
      Tensor map = found.get(wanted);
      assertThat(map.shape()).as(wanted).isEqualTo(expected.shape());
      float[] a = map.toFloats();
      float[] b = expected.toFloats();
      double largest = 0;
      double worst = 0;
      for (int i = 0; i < a.length; i++) {
        largest = Math.max(largest, Math.abs(b[i]));
        worst = Math.max(worst, Math.abs(a[i] - b[i]));
      }
      double limit =
          kind.equals("integrated")
              ? INTEGRATED_LIMIT
              : doc.has("limit") ? doc.get("limit").asDouble() : LIMIT;
      assertThat(worst / largest).as(wanted).isLessThanOrEqualTo(limit);
    }

    private Map<String, Tensor> explain(Set<String> layers, Set<String> methods)
        throws IOException {
      Invocation run = run(layers, methods);
      assertThat(run.status()).as(run.err()).isZero();
      return ReferenceCase.safetensors(directory.resolve(name).resolve(name + ".safetensors"));
    }

    private Invocation run(Set<String> layers, Set<String> methods) {
      List<Object> args = new ArrayList<>(List.of("explain", model, input));
      layers.forEach(layer -> args.addAll(List.of("-l", layer)));
      methods.forEach(method -> args.addAll(List.of("-m", method)));
      args.addAll(texts("args"));
      if (doc.has("pad_id")) {
        args.addAll(List.of("--pad-id", doc.get("pad_id").asText()));
      }
      args.addAll(List.of("-o", directory.resolve(name)));
      return Invocation.of(args.toArray());
    }

    private void checkAuto() throws IOException {
      if (!doc.has("auto")) {
        return;
      }
      Map<String, Tensor> found = explain(Set.of(), Set.of("gradcam"));
      List<String> maps =
          found.keySet().stream().filter(tensor -> tensor.startsWith("raw/gradcam/")).toList();
      assertThat(maps).hasSize(1);
      String auto = maps.get(0).substring("raw/gradcam/".length());
      assertThat(texts("auto")).contains(auto);
      StringBuilder shape = new StringBuilder();
      for (long size : ReferenceCase.safetensors(input).get("input").shape()) {
        shape.append(shape.length() == 0 ? "" : "x").append(size);
      }
      Invocation layers = Invocation.of("layers", model, "--input-shape", shape);
      assertThat(layers.out()).contains("auto: " + auto);
    }

    private void checkLayersMessage() {
      if (doc.has("layers_message_not")) {
        Invocation layers = Invocation.of("layers", model);
        assertThat(layers.status()).isZero();
        assertThat(layers.out() + layers.err())
            .doesNotContainPattern(doc.get("layers_message_not").asText());
      }
    }

    private List<String> texts(String field) {
      List<String> texts = new ArrayList<>();
      if (doc.has(field)) {
        doc.get(field).forEach(each -> texts.add(each.asText()));
      }
      return texts;
    }
  }
}
