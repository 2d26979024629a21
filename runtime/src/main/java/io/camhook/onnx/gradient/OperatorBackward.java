package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One operator in the backward pass: the gradients of its outputs, and the inputs that need one.
 */
final class OperatorBackward {
  private final Node node;
  private final List<@Nullable String> arrived;
  private final Set<String> path;
  private final BiConsumer<String, String> sink;

  OperatorBackward(
      Node node,
      List<@Nullable String> arrived,
      Set<String> path,
      BiConsumer<String, String> sink) {
    this.node = node;
    this.arrived = arrived;
    this.path = path;
    this.sink = sink;
  }

  /** The gradient of the first output, the only one of most operators. */
  String gradient() throws OnnxException {
    String first = arrived.get(0);
    if (first == null) {
      throw Refusal.of(node, "only its first output has a derivative");
    }
    return first;
  }

  /** The gradient of an output; null if none arrived. */
  @Nullable String gradient(int output) {
    return arrived.get(output);
  }

  /** Whether an input lies on a way from a tap. */
  boolean needs(int input) {
    String name = node.input(input);
    return name != null && path.contains(name);
  }

  /** Refuses gradients of inputs from this one on. */
  void onlyBefore(int input, String what) throws OnnxException {
    for (int i = input; i < node.inputs().size(); i++) {
      if (needs(i)) {
        throw Refusal.of(node, "the gradient of its " + what + " is not written");
      }
    }
  }

  /** Passes on the gradient of an input. */
  void send(int input, String gradient) {
    if (needs(input)) {
      sink.accept(node.inputs().get(input), gradient);
    }
  }
}
