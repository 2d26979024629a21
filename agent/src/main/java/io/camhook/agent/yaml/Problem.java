package io.camhook.agent.yaml;

/**
 * A mistake in the configuration.
 *
 * @param at {@code camhook.yaml:3:9} or the option, property or variable that set it
 * @param key dotted key, {@code models[0].target}; empty for the file as a whole
 * @param message what was expected and what was found
 */
public record Problem(String at, String key, String message) {
  @Override
  public String toString() {
    return at + ": " + (key.isEmpty() ? "" : key + ": ") + message;
  }
}
