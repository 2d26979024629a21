package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The part of a model between some values and others. Weights are shared with the model.
 *
 * <pre>{@code
 * OnnxModel prefix = Subgraph.upTo(model, List.of(tap), types);             // inputs → A
 * OnnxModel suffix = Subgraph.between(model, List.of(tap), List.of("logits"), types);  // A → logits
 * }</pre>
 *
 * The suffix's inputs are the given values and the model inputs that it still needs (an attention
 * mask, or the picture of another branch): see {@link Graph#realInputs}.
 */
public final class Subgraph {
  private Subgraph() {}

  /** The part of the model that computes some values from the model's inputs. */
  public static OnnxModel upTo(
      OnnxModel model, Collection<String> outputs, Map<String, TensorType> types)
      throws OnnxException {
    return between(model, List.of(), outputs, types);
  }

  /**
   * The part of the model that computes some values from the model's inputs and from values that
   * the caller provides.
   *
   * @param given values that become inputs; the nodes that compute them are dropped
   * @param types types of inner values, as far as known; a given value needs one
   * @throws OnnxException if the model has no such value
   */
  public static OnnxModel between(
      OnnxModel model,
      Collection<String> given,
      Collection<String> outputs,
      Map<String, TensorType> types)
      throws OnnxException {
    Graph graph = model.graph();
    Set<String> stop = new HashSet<>(given);
    Set<String> needed = new HashSet<>(outputs);
    List<Node> kept = new ArrayList<>();
    Set<String> made = new HashSet<>();
    for (int i = graph.nodes().size() - 1; i >= 0; i--) {
      Node node = graph.nodes().get(i);
      made.addAll(node.outputs());
      if (node.outputs().stream().anyMatch(o -> needed.contains(o) && !stop.contains(o))) {
        kept.add(node);
        needed.addAll(node.reads());
      }
    }
    Collections.reverse(kept);
    Map<String, ValueInfo> known = new HashMap<>();
    List<TensorData> constants = new ArrayList<>();
    Set<String> constantNames = new HashSet<>();
    for (TensorData tensor : graph.initializers()) {
      if (needed.contains(tensor.name())) {
        constants.add(tensor);
        constantNames.add(tensor.name());
      }
    }
    List<ValueInfo> inputs = new ArrayList<>();
    for (ValueInfo input : graph.inputs()) {
      known.put(input.name(), input);
      made.add(input.name());
      // A constant that is also an input could be replaced, and would not be folded.
      if (needed.contains(input.name())
          && !constantNames.contains(input.name())
          && !stop.contains(input.name())) {
        inputs.add(input);
      }
    }
    graph.outputs().forEach(output -> known.put(output.name(), output));
    for (String name : given) {
      if (!made.contains(name)) {
        throw new OnnxException("the graph has no value " + name);
      }
      TensorType type = types.get(name);
      ValueInfo declared = known.get(name);
      if (type == null && declared == null) {
        throw new OnnxException("the type of " + name + " is not known");
      }
      inputs.add(type == null ? declared : ValueInfo.of(name, type));
    }
    List<ValueInfo> results = new ArrayList<>();
    for (String name : outputs) {
      if (!made.contains(name) && !constantNames.contains(name)) {
        throw new OnnxException("the graph has no value " + name);
      }
      results.add(ValueInfo.named(name));
    }
    return model.withGraph(graph.with(kept, constants, inputs, results));
  }
}
