package io.camhook.builtin;

/**
 * One call of one module.
 *
 * @param model the model's label
 * @param path dotted path; {@code .} for the root
 * @param type simple name of the module's class
 * @param step number of the model's forward pass in this JVM, from 0
 * @param call 0 for the module's first call in the pass, 1 for the second …
 */
public record LayerCall(String model, String path, String type, long step, int call) {
  @Override
  public String toString() {
    return "model %s, step %d, layer %s%s (%s)"
        .formatted(model, step, path, call == 0 ? "" : "#" + call, type);
  }
}
