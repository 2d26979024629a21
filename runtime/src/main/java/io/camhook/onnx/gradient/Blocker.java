package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;

/** Why an operator has no rule, and what the user can do about it. */
final class Blocker {
  private Blocker() {}

  static String reason(Node node) {
    String operator = node.operator();
    if (operator.toLowerCase(java.util.Locale.ROOT).contains("quantize")
        || operator.contains("QLinear")
        || operator.endsWith("Integer")) {
      return "the model is quantised; take the float model";
    }
    if (node.domain().startsWith("com.microsoft")) {
      return "the file was optimised by onnxruntime; take the file that was exported";
    }
    if (!node.graphs().isEmpty()) {
      return "control flow between the layer and the score";
    }
    if (!node.isStandard()) {
      return "an operator of domain " + node.domain();
    }
    return "its derivative is not written";
  }
}
