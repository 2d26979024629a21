package io.camhook.onnx.naming;

import org.jspecify.annotations.Nullable;

/**
 * One call of a module, as far as the graph tells, or a node of a graph without modules.
 *
 * @param path its dotted path; {@code .} is the whole model
 * @param call 0 for the first call, 1 for the second …
 * @param operator the operator that makes its value, or its first one
 * @param value the graph's value that the module returns; null where the graph does not have it
 * @param reason why not; null where it has it
 */
public record OnnxModule(
    String path, int call, String operator, @Nullable String value, @Nullable String reason) {
  /** {@code relu}, {@code relu#1}. */
  public String label() {
    return call == 0 ? path : path + "#" + call;
  }
}
