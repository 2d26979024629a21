package io.camhook.onnx.naming;

import org.jspecify.annotations.Nullable;

/**
 * One call of a module, as far as the graph shows it, or one node of a graph without modules.
 *
 * @param path its dotted path; {@code .} is the whole model
 * @param call 0 for the first call, 1 for the second …
 * @param operator the operator that computes its value, or its first operator
 * @param value the graph's value that the module returns; null if the graph does not contain it
 * @param reason why the value is missing; null if it is not
 */
public record OnnxModule(
    String path, int call, String operator, @Nullable String value, @Nullable String reason) {
  /** {@code relu}, {@code relu#1}. */
  public String label() {
    return call == 0 ? path : path + "#" + call;
  }
}
