package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;

/** Computes the gradients of an operator's inputs from those of its outputs. */
@FunctionalInterface
interface Rule {
  /**
   * Writes the operator's backward pass and sends the gradients to its inputs.
   *
   * @throws OnnxException if this use of the operator has no derivative here, with the reason
   */
  void back(Backward backward, Node node, OperatorBackward flow) throws OnnxException;
}
