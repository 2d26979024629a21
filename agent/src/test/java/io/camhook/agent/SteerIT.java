package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hooks of the YAML that replace values inside a {@code .pt}, under the agent, in a process. */
class SteerIT {
  private static final Path REFERENCE = Path.of(System.getProperty("camhook.reference", ""));
  private static final Path FORK =
      Path.of("../runtime/src/test/resources/torchscript/features/fork.scripted.pt");

  /** Scores are equal within this part of the largest absolute score. */
  private static final double TOLERANCE = 1e-4;

  @TempDir Path directory;
  private final StringBuilder yaml = new StringBuilder("models:\n");
  private final List<String> names = new ArrayList<>();

  /** A model of the reference under its own name, with one entry of hooks. */
  private String model(String archive, String hook) throws IOException {
    String name = "m" + names.size();
    Files.copy(
        REFERENCE.resolve("torchscript").resolve(archive + ".pt"), directory.resolve(name + ".pt"));
    String base = archive.substring(0, archive.indexOf('.'));
    Path folder = REFERENCE.resolve("torchscript");
    JsonNode facts = new ObjectMapper().readTree(folder.resolve(base + ".json").toFile());
    String tensor = facts.get("inputs").get(0).get("tensor").asText();
    input(name, Safetensors.read(folder.resolve(base + ".safetensors")).tensors().get(tensor));
    return entry(name, hook);
  }

  private void input(String name, Tensor tensor) throws IOException {
    input(name, tensor.shape(), tensor.toFloats());
  }

  private void input(String name, long[] shape, float[] values) throws IOException {
    try (DataOutputStream out =
        new DataOutputStream(Files.newOutputStream(directory.resolve(name + ".bin")))) {
      out.writeInt(shape.length);
      for (long size : shape) {
        out.writeInt((int) size);
      }
      for (float value : values) {
        out.writeFloat(value);
      }
    }
  }

  private String entry(String name, String hook) {
    names.add(name);
    if (!hook.isEmpty()) {
      yaml.append("  - { name: ").append(name).append(", hooks: [").append(hook).append("] }\n");
    }
    return name;
  }

  private ForkedJvm.Result run(boolean agent) throws Exception {
    Files.writeString(
        directory.resolve("camhook.yaml"), yaml + "output: { directory: captures }\n");
    ForkedJvm jvm = new ForkedJvm(directory);
    return (agent ? jvm.agent("camhook.yaml") : jvm)
        .run(
            ForkedJvm.applications()
                + File.pathSeparator
                + ForkedJvm.engine()
                + File.pathSeparator
                + ForkedJvm.runtime(),
            "app.Scores",
            names.toArray(String[]::new));
  }

  private static Map<String, String> byName(ForkedJvm.Result result) {
    Map<String, String> lines = new TreeMap<>();
    result.out().lines().forEach(line -> lines.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
    return lines;
  }

  @Test
  void steered_layers_should_lead_to_the_scores_of_pytorch() throws Exception {
    JsonNode reference =
        new ObjectMapper().readTree(REFERENCE.resolve("replace/replace.json").toFile());
    Map<String, JsonNode> expected = new TreeMap<>();
    for (String archive :
        List.of("gap_linear.traced", "gap_linear.scripted", "residual_inplace.scripted")) {
      JsonNode facts = reference.get(archive.substring(0, archive.indexOf('.')));
      expected.put(model(archive, ""), facts.get("plain"));
      int added = 0;
      for (JsonNode replaced : facts.get("replaced")) {
        boolean input = replaced.get("kind").asText().equals("input");
        if (replaced.has("before") || replaced.get("call").asInt() != 0 || added == 6) {
          continue;
        }
        if (replaced.get("path").asText().isEmpty() || isCalledAgain(facts, replaced)) {
          continue; // a hook of the YAML sees every call
        }
        String name =
            model(
                archive,
                "{ hook: app.%s, layers: %s, replace: true }"
                    .formatted(input ? "SteerInput" : "Steer", replaced.get("path").asText()));
        expected.put(name, replaced.get("scores"));
        added++;
      }
      assertThat(added).as(archive).isGreaterThan(3);
    }
    ForkedJvm.Result result = run(true);
    assertThat(result.status()).as(result.err()).isZero();
    assertThat(result.err()).doesNotContain(": hook ", "fail");
    Map<String, String> found = byName(result);
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, scores) -> assertScores(name, found.get(name), scores));
  }

  private static boolean isCalledAgain(JsonNode facts, JsonNode replaced) {
    for (JsonNode other : facts.get("replaced")) {
      if (other.get("path").equals(replaced.get("path")) && other.get("call").asInt() > 0) {
        return true;
      }
    }
    return false;
  }

  private static void assertScores(String name, String line, JsonNode expected) {
    String[] found = line.split(" ");
    assertThat(found).as("%s: %s", name, line).hasSize(expected.size());
    double largest = 0;
    for (JsonNode score : expected) {
      largest = Math.max(largest, Math.abs(score.asDouble()));
    }
    for (int i = 0; i < found.length; i++) {
      assertThat(Double.parseDouble(found[i]))
          .as(name)
          .isCloseTo(expected.get(i).asDouble(), within(TOLERANCE * largest));
    }
  }

  @Test
  void what_is_wrong_should_be_said_and_the_model_run_as_it_is() throws Exception {
    String archive = "gap_linear.traced";
    String plain = model(archive, "");
    String missing = model(archive, "{ hook: com.acme.Steer, layers: features, replace: true }");
    String none =
        model(archive, "{ hook: app.WrongHooks$NoInterface, layers: features, replace: true }");
    String keeps =
        model(archive, "{ hook: app.WrongHooks$Keeps, layers: features, replace: true }");
    String empty =
        model(archive, "{ hook: app.WrongHooks$Empty, layers: features, replace: true }");
    String looks = model(archive, "{ hook: app.Steer, layers: features }");
    String back =
        model(archive, "{ hook: app.WrongHooks$Backward, layers: features, replace: true }");
    String layer = model(archive, "{ hook: app.Steer, layers: featurs, replace: true }");
    String fork = entry("fork", "{ hook: app.Steer, layers: b, replace: true }");
    Files.copy(FORK, directory.resolve("fork.pt"));
    input(fork, new long[] {1, 4}, new float[] {1, 2, 3, 4});
    String block = entry("block", "{ hook: app.Steer, layers: 01LambdaBlock, replace: true }");
    input(block, new long[] {1, 2}, new float[] {1, 2});
    Map<String, String> without = byName(run(false));
    ForkedJvm.Result result = run(true);
    Map<String, String> found = byName(result);

    assertThat(result.status()).as(result.err()).isZero();
    for (String same : List.of(plain, missing, none, keeps, back, layer, fork)) {
      assertThat(found.get(same)).as(same).isEqualTo(without.get(same)).doesNotContain("failed");
    }
    assertThat(found.get(empty))
        .startsWith("failed: layer features (")
        .contains("its forward hook returned 0 arrays, expected 1");
    assertThat(found.get(looks))
        .startsWith("failed: layer features (")
        .contains("(replace: true in camhook.yaml)");
    assertThat(found.get(block)).isEqualTo("0.0 12.0"); // 2 · 1.5 · 2 · [1, 2], the first one 0
    assertThat(result.err())
        .containsSubsequence(
            "camhook: model " + missing + ": hook com.acme.Steer: expected a class",
            "camhook: model " + none + ": hook app.WrongHooks$NoInterface: expected a class that",
            "camhook: model " + back + ": hook app.WrongHooks$Backward: layer features",
            "can only look",
            "camhook: model " + layer + ": hook app.Steer: layer 'featurs' matches none",
            "closest: [features",
            "camhook: model fork: hook app.Steer: layer b",
            "whose code forks");
  }
}
