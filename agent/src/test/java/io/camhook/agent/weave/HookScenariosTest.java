package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** PyTorch's traces, replayed with DJL. What differs, and why: docs/hooks-differences.md. */
class HookScenariosTest {
  /** The row of a scenario: {@code | `name` | basis | passed |} or {@code different}. */
  private static final Pattern ROW =
      Pattern.compile("^\\| `(\\w+)` \\| (\\w+) \\| (passed|different) \\|", Pattern.MULTILINE);

  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  static Stream<String> names() throws IOException {
    return ROW.matcher(document())
        .results()
        .filter(row -> row.group(3).equals("passed"))
        .map(row -> row.group(1));
  }

  private static String document() throws IOException {
    return Files.readString(Path.of("../docs/hooks-differences.md"));
  }

  private static JsonNode traces() throws IOException {
    try (InputStream in =
        Files.newInputStream(
            Path.of(System.getProperty("camhook.reference"), "hooks", "traces.json"))) {
      return HookScenario.JSON.readTree(in);
    }
  }

  private static JsonNode trace(String name) throws IOException {
    for (JsonNode trace : traces()) {
      if (trace.get("name").asText().equals(name)) {
        return trace;
      }
    }
    throw new IllegalArgumentException(name);
  }

  @ParameterizedTest
  @MethodSource("names")
  void scenario_should_be_as_in_pytorch(String name) throws IOException {
    JsonNode trace = trace(name);
    try (HookScenario scenario = new HookScenario(trace)) {
      HookEffects.prepare(name, scenario);
      scenario.run();
      TraceComparison comparison = new TraceComparison(trace, scenario);
      comparison.compareEvents();
      comparison.compareErrors();
      comparison.compareOutcomes();
    }
  }

  @Test
  void document_should_have_a_row_for_each_scenario_and_count_them() throws IOException {
    List<String> rows =
        ROW.matcher(document()).results().map(row -> row.group(1) + " " + row.group(2)).toList();
    List<String> scenarios = new ArrayList<>();
    Map<String, Integer> all = new TreeMap<>();
    Map<String, Integer> passed = new TreeMap<>();
    Set<String> passing = names().collect(Collectors.toSet());
    for (JsonNode trace : traces()) {
      String basis = trace.get("basis").asText();
      scenarios.add(trace.get("name").asText() + " " + basis);
      all.merge(basis, 1, Integer::sum);
      passed.merge(basis, passing.contains(trace.get("name").asText()) ? 1 : 0, Integer::sum);
    }
    assertThat(rows).isEqualTo(scenarios);
    for (String basis : all.keySet()) {
      assertThat(document())
          .contains("| %s | %d | %d |".formatted(basis, all.get(basis), passed.get(basis)));
    }
  }

  @Test
  void different_scenarios_should_be_explained() throws IOException {
    String explanations = document().substring(document().indexOf("## What is different"));
    ROW.matcher(document())
        .results()
        .filter(row -> row.group(3).equals("different"))
        .forEach(row -> assertThat(explanations).contains("| `" + row.group(1) + "` |"));
  }

  @Test
  void null_gradient_should_end_in_the_gradients_that_pytorch_has() throws IOException {
    JsonNode trace = trace("quirk_backward_hook_returns_null_gradient");
    try (HookScenario scenario = new HookScenario(trace)) {
      scenario.run();
      TraceComparison comparison = new TraceComparison(trace, scenario);
      comparison.compareErrors();
      comparison.compareOutcomes();
    }
  }

  @Test
  void guaranteed_pairs_should_be_known_for_every_partial_order() throws IOException {
    List<String> partial = new ArrayList<>();
    for (JsonNode trace : traces()) {
      if (!trace.get("order").asText().equals("strict")) {
        partial.add(trace.get("name").asText());
      }
    }
    assertThat(TraceComparison.partlyOrdered()).containsExactlyInAnyOrderElementsOf(partial);
  }
}
