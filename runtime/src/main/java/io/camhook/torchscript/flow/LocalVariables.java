package io.camhook.torchscript.flow;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/*
 * A method of twenty thousand statements has as many variables, nearly all of which are never read again. At
 * every statement, the walker looks through all variables for values that share memory, so dead variables are
 * dropped from time to time.
 */
/** The variables of one method while the walker visits it. */
final class LocalVariables {
  private static final int FEW = 64;

  private final @Nullable MethodContext context;
  private Map<String, Value> variables = new HashMap<>();
  private @Nullable Value result;
  private Map<String, Integer> lastReads = Map.of();
  private int at;
  private int loops;
  private int dropAt = Integer.MAX_VALUE;

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
    if (variables.size() > dropAt && loops == 0) {
      variables.keySet().removeIf(known -> !known.equals(name) && !isLive(known));
      dropAt = 2 * variables.size() + FEW;
    }
  }

  Map<String, Value> variables() {
    return variables;
  }

  /** A copy of the variables, to follow one branch. */
  Map<String, Value> fork() {
    return new HashMap<>(variables);
  }

  void restore(Map<String, Value> saved) {
    variables = saved;
  }

  /** Sets the place in the method's text that reads each variable last. */
  void reads(Map<String, Integer> last) {
    lastReads = last;
    dropAt = FEW;
  }

  /** Notes that the text before this place has been evaluated. */
  void at(int place) {
    at = place;
  }

  void enterLoop() {
    loops++;
  }

  void leaveLoop() {
    loops--;
  }

  /** Whether the code that runs may run again in this call of the method. */
  boolean isInLoop() {
    return loops > 0;
  }

  /** Whether the value of a variable may still be read. */
  boolean isLive(String name) {
    return loops > 0 || lastReads.getOrDefault(name, -1) >= at;
  }

  @Nullable Value result() {
    return result;
  }

  void result(Value value) {
    result = value;
  }
}
