package io.camhook.torchscript.flow;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of one method while the walker is in it. */
final class LocalVariables {
  private final @Nullable MethodContext context;
  private Map<String, Value> variables = new HashMap<>();
  private @Nullable Value result;

  LocalVariables(@Nullable MethodContext context) {
    this.context = context;
  }

  /** The method, or null in a free function. */
  @Nullable MethodContext context() {
    return context;
  }

  @Nullable Value get(String name) {
    return variables.get(name);
  }

  void set(String name, Value value) {
    variables.put(name, value);
  }

  Map<String, Value> variables() {
    return variables;
  }

  /** A copy of the variables, to try one branch with. */
  Map<String, Value> fork() {
    return new HashMap<>(variables);
  }

  void restore(Map<String, Value> saved) {
    variables = saved;
  }

  @Nullable Value result() {
    return result;
  }

  void result(Value value) {
    result = value;
  }
}
