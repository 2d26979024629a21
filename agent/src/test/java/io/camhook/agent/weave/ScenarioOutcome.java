package io.camhook.agent.weave;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** The state of a scenario after a step, in the trace's encoding. */
final class ScenarioOutcome {
  private ScenarioOutcome() {}

  static ObjectNode of(HookScenario scenario) {
    ObjectNode outcome = HookScenario.JSON.createObjectNode();
    ObjectNode ofInputs = outcome.putObject("input_grads");
    scenario.inputs.forEach((name, array) -> ofInputs.set(name, grad(array)));
    ObjectNode ofParameters = outcome.putObject("param_grads");
    scenario.net.parameters.forEach((name, array) -> ofParameters.set(name, grad(array)));
    for (String name : List.of("y", "z", "u", "v", "loss")) {
      if (scenario.names.get(name) instanceof NDArray array) {
        outcome.set(name, value(array));
      }
    }
    if (!outcome.has("loss")) { // y.backward(), or that of two losses
      outcome.set(
          "loss",
          scenario.names.get("loss1") instanceof NDArray first
              ? value(first.add((NDArray) scenario.names.get("loss2")))
              : outcome.get("y"));
    }
    for (String name : List.of("y", "z")) {
      if (scenario.names.get(name) instanceof NDArray array) {
        outcome.set(name + "_grad", grad(array));
      }
    }
    if (scenario.names.get("g") instanceof NDArray g) {
      outcome.set("g", value(g));
    }
    Block net = scenario.net.blocks.get("net");
    if (net != null) {
      net.getDirectParameters()
          .forEach(pair -> outcome.set(pair.getKey(), value(pair.getValue().getArray())));
    }
    if (scenario.net.parameters.containsKey("net.fc1.weight")) {
      outcome.set("fc1_weight", value(scenario.net.parameters.get("net.fc1.weight")));
    }
    return outcome;
  }

  private static JsonNode grad(NDArray array) {
    return JniUtils.requiresGrad((PtNDArray) array) ? value(array.getGradient()) : null;
  }

  /** What only one scenario needs, as it was at a stage. */
  static JsonNode extra(String key, HookScenario scenario, ObjectNode stage) {
    return switch (key) {
      case "running_mean" -> stage.get("runningMean");
      case "running_var" -> stage.get("runningVar");
      case "reference_after_forward" -> value((NDArray) scenario.seen.get("output of f"));
      case "clone_made_by_hook" -> value((NDArray) scenario.seen.get("clone"));
      case "counts" -> counts(scenario.events);
      default -> stage.get(key);
    };
  }

  private static ObjectNode counts(ArrayNode events) {
    ObjectNode counts = HookScenario.JSON.createObjectNode();
    for (JsonNode event : events) {
      String hook = event.get("hook").asText();
      counts.put(hook, counts.path(hook).asInt() + 1);
    }
    return counts;
  }

  static ArrayNode values(NDList list) {
    ArrayNode values = HookScenario.JSON.createArrayNode();
    list.forEach(array -> values.add(array == null ? HookScenario.JSON.nullNode() : value(array)));
    return values;
  }

  static JsonNode value(NDArray array) {
    return nested(array.toFloatArray(), array.getShape().getShape(), 0, new int[1]);
  }

  private static JsonNode nested(float[] flat, long[] shape, int level, int[] at) {
    if (level == shape.length) {
      float value = flat[at[0]++];
      return HookScenario.JSON.getNodeFactory().numberNode((double) (value == 0 ? 0f : value));
    }
    ArrayNode node = HookScenario.JSON.createArrayNode();
    for (long i = 0; i < shape[level]; i++) {
      node.add(nested(flat, shape, level + 1, at));
    }
    return node;
  }
}
