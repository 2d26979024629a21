package io.camhook.benchmarks.archives;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A module of a TorchScript archive that is to be written: its parameters, its children and the
 * body of its {@code forward(x)}. Not thread-safe.
 */
final class ScriptModule {
  /**
   * Values of a parameter or buffer: normally distributed.
   *
   * @param deviation 0 gives {@code mean} everywhere
   */
  record Weight(long[] shape, double mean, double deviation, boolean buffer) {
    int elements() {
      long product = 1;
      for (long size : shape) {
        product *= size;
      }
      return Math.toIntExact(product);
    }
  }

  final String type;
  final Map<String, Weight> weights = new LinkedHashMap<>();
  final Map<String, ScriptModule> children = new LinkedHashMap<>();
  private List<String> body = List.of("return x");

  /**
   * @param type qualified Python name of its class
   */
  ScriptModule(String type) {
    this.type = type;
  }

  ScriptModule parameter(String name, double deviation, long... shape) {
    weights.put(name, new Weight(shape, 0, deviation, false));
    return this;
  }

  ScriptModule ones(String name, long... shape) {
    weights.put(name, new Weight(shape, 1, 0, false));
    return this;
  }

  ScriptModule buffer(String name, double value, long... shape) {
    weights.put(name, new Weight(shape, value, 0, true));
    return this;
  }

  ScriptModule child(String name, ScriptModule child) {
    children.put(name, child);
    return this;
  }

  /** The statements of {@code forward}, whose argument is the tensor {@code x}. */
  ScriptModule forward(String... statements) {
    body = List.of(statements);
    return this;
  }

  List<String> body() {
    return body;
  }

  /** A call of a child, as TorchScript writes it. */
  static String call(String child, String argument) {
    String receiver =
        Character.isDigit(child.charAt(0))
            ? "(getattr(self, \"%s\"))".formatted(child)
            : "(self.%s)".formatted(child);
    return "%s.forward(%s, )".formatted(receiver, argument);
  }
}
