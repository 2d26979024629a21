package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.camhook.dispatch.Dispatch;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** PyTorch's traces, replayed with DJL. What differs, and why: docs/hooks-differences.md. */
class HookScenariosTest {
  private static final double BATCHNORM_TOLERANCE = 1e-5;

  /** Scenarios that are deliberately different; each is explained in docs/hooks-differences.md. */
  static final Set<String> DIFFERENT =
      Set.of(
          "direct_forward_bypasses_hooks",
          "multi_input_non_tensor_argument",
          "tensor_hook_and_retain_grad",
          "repeat_retain_graph",
          "repeat_autograd_grad_of_intermediate",
          "quirk_backward_hook_returns_bare_tensor",
          "quirk_backward_hook_returns_null_gradient",
          "quirk_list_output_has_no_backward_hook",
          "deprecated_backward_hook");

  private static WovenDjl djl;

  @BeforeAll
  static void weave() {
    djl = new WovenDjl(WovenDjl.config(0, false));
  }

  @AfterAll
  static void unweave() {
    assertThat(Dispatch.active).isFalse();
    djl.close();
  }

  static Stream<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    traces().forEach(trace -> names.add(trace.get("name").asText()));
    return names.stream().filter(name -> !DIFFERENT.contains(name));
  }

  private static JsonNode traces() throws IOException {
    try (InputStream in = HookScenariosTest.class.getResourceAsStream("/hooks/traces.json")) {
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
      compareEvents(trace, scenario);
      compareErrors(trace, scenario);
      compareGradients(trace, scenario);
    }
  }

  private static void compareEvents(JsonNode trace, HookScenario scenario) {
    double tolerance =
        trace.get("name").asText().equals("mode_batchnorm_train_and_eval")
            ? BATCHNORM_TOLERANCE
            : 0;
    List<JsonNode> expected = events(trace.get("events"));
    List<JsonNode> found = events(scenario.events);
    if (!trace.get("order").asText().equals("strict")) {
      expected.sort(java.util.Comparator.comparing(HookScenariosTest::key));
      found.sort(java.util.Comparator.comparing(HookScenariosTest::key));
    }
    String both =
        "expected\n" + lines(expected) + "found\n" + lines(found) + "errors " + scenario.errors;
    assertThat(found).as(both).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(same(expected.get(i), found.get(i), tolerance))
          .as(both + " differs at " + i)
          .isTrue();
    }
  }

  private static String key(JsonNode event) {
    return event.get("step") + " " + event.get("hook") + " " + event.get("target");
  }

  private static String lines(List<JsonNode> events) {
    StringBuilder lines = new StringBuilder();
    events.forEach(event -> lines.append(event).append('\n'));
    return lines.toString();
  }

  /** Without what DJL cannot tell apart or the trace only observes. */
  private static List<JsonNode> events(JsonNode events) {
    List<JsonNode> list = new ArrayList<>();
    for (JsonNode event : events) {
      ObjectNode copy = event.deepCopy();
      copy.remove(List.of("order", "param_grads_now", "scope"));
      if (copy.path("returned").isObject()) {
        ((ObjectNode) copy.get("returned")).remove("form");
      }
      if (copy.path("raised").isObject()) {
        ((ObjectNode) copy.get("raised")).put("message", unquoted(copy.at("/raised/message")));
      }
      list.add(copy);
    }
    return list;
  }

  private static boolean same(JsonNode expected, JsonNode found, double tolerance) {
    if (expected.isNumber() && found.isNumber()) {
      return Math.abs(expected.asDouble() - found.asDouble())
          <= tolerance * Math.max(1, Math.abs(expected.asDouble()));
    }
    if (expected.isArray() && found.isArray() && expected.size() == found.size()) {
      for (int i = 0; i < expected.size(); i++) {
        if (!same(expected.get(i), found.get(i), tolerance)) {
          return false;
        }
      }
      return true;
    }
    if (expected.isObject() && found.isObject() && expected.size() == found.size()) {
      for (Map.Entry<String, JsonNode> entry : expected.properties()) {
        if (!found.has(entry.getKey())
            || !same(entry.getValue(), found.get(entry.getKey()), tolerance)) {
          return false;
        }
      }
      return true;
    }
    return expected.equals(found);
  }

  private static void compareErrors(JsonNode trace, HookScenario scenario) {
    List<JsonNode> outcomes = new ArrayList<>();
    trace.get("stages").forEach(outcomes::add);
    outcomes.add(trace.get("result"));
    List<Integer> failing = new ArrayList<>();
    for (JsonNode outcome : outcomes) {
      JsonNode error = outcome.get("error");
      if (error != null && error.isObject() && !failing.contains(error.get("step").asInt())) {
        int step = error.get("step").asInt();
        failing.add(step);
        assertThat(scenario.errors).containsKey(step);
        if (error.get("type").asText().matches("ValueError|KeyError")) {
          assertThat(scenario.errors.get(step)).hasMessage(unquoted(error.get("message")));
        }
      }
    }
    assertThat(scenario.errors.keySet()).containsExactlyInAnyOrderElementsOf(failing);
  }

  private static void compareGradients(JsonNode trace, HookScenario scenario) {
    for (JsonNode stage : trace.get("stages")) {
      compareGradients(stage, scenario.stages.get(stage.get("after_step").asInt()));
    }
    compareGradients(trace.get("result"), scenario.stages.get(trace.get("steps").size()));
  }

  private static void compareGradients(JsonNode expected, ObjectNode found) {
    for (String kind : List.of("input_grads", "param_grads")) {
      for (Map.Entry<String, JsonNode> entry : expected.get(kind).properties()) {
        JsonNode grad = found.get(kind).get(entry.getKey());
        // DJL gives zeros where there is no gradient.
        assertThat(
                entry.getValue().isNull()
                    ? isZero(grad)
                    : same(entry.getValue(), grad, BATCHNORM_TOLERANCE))
            .as("%s %s: expected %s found %s", kind, entry.getKey(), entry.getValue(), grad)
            .isTrue();
      }
    }
    JsonNode outputs = expected.get("outputs");
    if (outputs != null && outputs.size() == 1 && found.has("y")) {
      assertThat(same(outputs.get(0), found.get("y"), BATCHNORM_TOLERANCE))
          .as("outputs " + outputs + found.get("y"))
          .isTrue();
    }
  }

  /** Python prints the message of a KeyError in quotes. */
  private static String unquoted(JsonNode message) {
    return message.asText().replaceAll("^'|'$", "");
  }

  private static boolean isZero(JsonNode grad) {
    return grad == null || grad.isNull() || grad.toString().matches("[\\[\\]0., ]*");
  }
}
