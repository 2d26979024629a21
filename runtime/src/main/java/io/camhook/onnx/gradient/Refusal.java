package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;

/** Why a gradient is not available. */
final class Refusal {
  private Refusal() {}

  static OnnxException of(Node node, String reason) {
    return new OnnxException("no gradient through " + node.label() + ": " + reason);
  }
}
