package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Compares a replayed scenario with PyTorch's trace of it. Numbers are equal, apart from those of
 * batch normalisation, for which the traces' README allows 1e-5.
 */
final class TraceComparison {
  private static final String NOT_EXACT = "mode_batchnorm_train_and_eval";
  private static final double TOLERANCE = 1e-5;

  /** What the {@code partial} orders guarantee: of each pair the first comes before the second. */
  private static final Map<String, List<List<String>>> GUARANTEED =
      Map.of(
          "lecture_scalar_tensor_hooks", List.of(List.of("h_y", "h_a"), List.of("h_y", "h_b")),
          "lecture_scalar_replace_gradient", List.of(),
          "structure_parallel_branches",
              List.of(
                  List.of("bp_left", "b_left"),
                  List.of("bp_right", "b_right"),
                  List.of("b_left", "b_root"),
                  List.of("b_right", "b_root")),
          "tensor_hook_shared_tensor", List.of(List.of("h_u", "h_y"), List.of("h_v", "h_y")),
          "repeat_retain_graph", List.of(List.of("bp", "h_w"), List.of("bp", "b")),
          "repeat_gradient_accumulation", List.of(),
          "post_accumulate_grad_hook", List.of(List.of("h_w", "post_w")));

  private final JsonNode trace;
  private final HookScenario scenario;
  private final double tolerance;

  TraceComparison(JsonNode trace, HookScenario scenario) {
    this.trace = trace;
    this.scenario = scenario;
    this.tolerance = name().equals(NOT_EXACT) ? TOLERANCE : 0;
  }

  /** Names of the scenarios whose order is partial. */
  static Set<String> partlyOrdered() {
    return GUARANTEED.keySet();
  }

  private String name() {
    return trace.get("name").asText();
  }

  /** Fails with both event lists if they differ. */
  void compareEvents() {
    List<JsonNode> expected = events(trace.get("events"));
    List<JsonNode> found = events(scenario.events);
    String both =
        "expected\n" + lines(expected) + "found\n" + lines(found) + "errors " + scenario.errors;
    if (!trace.get("order").asText().equals("strict")) {
      compareGuaranteedOrder(found, both);
      expected.sort(Comparator.comparing(TraceComparison::key));
      found.sort(Comparator.comparing(TraceComparison::key));
    }
    assertThat(found).as(both).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(same(expected.get(i), found.get(i))).as(both + " differs at " + i).isTrue();
    }
  }

  private void compareGuaranteedOrder(List<JsonNode> found, String both) {
    for (List<String> pair : GUARANTEED.get(name())) {
      for (int step = 1; step <= trace.get("steps").size(); step++) {
        int first = position(found, step, pair.get(0));
        int second = position(found, step, pair.get(1));
        assertThat(first < 0 || second < 0 || first < second)
            .as("%s before %s in step %d\n%s", pair.get(0), pair.get(1), step, both)
            .isTrue();
      }
    }
  }

  private static int position(List<JsonNode> events, int step, String hook) {
    for (int i = 0; i < events.size(); i++) {
      JsonNode event = events.get(i);
      if (event.get("step").asInt() == step && event.get("hook").asText().equals(hook)) {
        return i;
      }
    }
    return -1;
  }

  private static String key(JsonNode event) {
    return event.get("step") + " " + event.get("hook") + " " + event.get("target");
  }

  private static String lines(List<JsonNode> events) {
    StringBuilder lines = new StringBuilder();
    events.forEach(event -> lines.append(event).append('\n'));
    return lines.toString();
  }

  /** Without what DJL cannot distinguish, and without intermediate {@code .grad}. */
  private List<JsonNode> events(JsonNode events) {
    Set<Integer> numbers = positionsOfNumbers();
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
      copy.set("inputs", without(numbers, copy.get("inputs")));
      copy.set("grad_input", without(numbers, copy.get("grad_input")));
      list.add(copy);
    }
    return list;
  }

  /** Arguments that are not tensors: in DJL they are params, not entries of the inputs. */
  private Set<Integer> positionsOfNumbers() {
    Set<Integer> positions = new TreeSet<>(Comparator.reverseOrder());
    for (JsonNode event : trace.get("events")) {
      JsonNode inputs = event.path("inputs");
      for (int i = 0; i < inputs.size(); i++) {
        if (inputs.get(i).has("non_tensor")) {
          positions.add(i);
        }
      }
    }
    return positions;
  }

  private static JsonNode without(Set<Integer> positions, JsonNode values) {
    if (values == null || !values.isArray()) {
      return values;
    }
    JsonNode rest = values.deepCopy();
    for (int position : positions) {
      JsonNode entry = rest.get(position);
      if (entry != null && (entry.isNull() || entry.has("non_tensor"))) {
        ((ArrayNode) rest).remove(position);
      }
    }
    return rest;
  }

  private boolean same(JsonNode expected, JsonNode found) {
    if (expected == null || found == null) {
      return expected == found;
    }
    if (expected.isNumber() && found.isNumber()) {
      double difference = Math.abs(expected.asDouble() - found.asDouble());
      return difference <= tolerance * Math.max(1, Math.abs(expected.asDouble()));
    }
    if (expected.isArray() && found.isArray() && expected.size() == found.size()) {
      for (int i = 0; i < expected.size(); i++) {
        if (!same(expected.get(i), found.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (expected.isObject() && found.isObject() && expected.size() == found.size()) {
      for (Map.Entry<String, JsonNode> entry : expected.properties()) {
        if (!found.has(entry.getKey()) || !same(entry.getValue(), found.get(entry.getKey()))) {
          return false;
        }
      }
      return true;
    }
    return expected.equals(found);
  }

  /** The same steps fail, and with the hook's own exception if there is one. */
  void compareErrors() {
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
          assertThat(scenario.errors.get(step))
              .isInstanceOf(ScenarioNet.Thrown.class)
              .hasMessage(unquoted(error.get("message")));
        }
      }
    }
    assertThat(scenario.errors.keySet()).containsExactlyInAnyOrderElementsOf(failing);
  }

  /**
   * Outputs, loss, gradients and other values of a scenario, at intermediate stages and at the end.
   */
  void compareOutcomes() {
    for (JsonNode stage : trace.get("stages")) {
      compareOutcome(stage, scenario.stages.get(stage.get("after_step").asInt()));
    }
    compareOutcome(trace.get("result"), scenario.stages.get(trace.get("steps").size()));
  }

  private void compareOutcome(JsonNode expected, ObjectNode found) {
    for (String kind : List.of("input_grads", "param_grads")) {
      for (Map.Entry<String, JsonNode> entry : expected.get(kind).properties()) {
        JsonNode grad = found.get(kind).get(entry.getKey());
        // DJL gives zeros where there is no gradient.
        boolean equal = entry.getValue().isNull() ? isZero(grad) : same(entry.getValue(), grad);
        assertThat(equal)
            .as("%s %s: expected %s found %s", kind, entry.getKey(), entry.getValue(), grad)
            .isTrue();
      }
    }
    requireSame("loss", expected.get("loss"), found.get("loss"));
    JsonNode outputs = expected.get("outputs");
    if (outputs.size() == 1) {
      String last = found.has("z") ? "z" : "y";
      requireSame(last, outputs.get(0), found.get(last));
    } else if (outputs.size() == 2) {
      requireSame("u", outputs.get(0), found.get("u"));
      requireSame("v", outputs.get(1), found.get("v"));
    }
    for (Map.Entry<String, JsonNode> entry : expected.get("extra").properties()) {
      requireSame(
          entry.getKey(), entry.getValue(), ScenarioOutcome.extra(entry.getKey(), scenario, found));
    }
  }

  private void requireSame(String what, JsonNode expected, JsonNode found) {
    if (!expected.isNull()) {
      assertThat(same(expected, found))
          .as("%s: expected %s found %s", what, expected, found)
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
