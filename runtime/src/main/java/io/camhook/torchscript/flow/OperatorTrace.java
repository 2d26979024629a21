package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The operators that a walk has visited, in order, and which of them each module call ran. */
final class OperatorTrace {
  /**
   * An operator that returns tensors.
   *
   * @param parameters those among its arguments, {@code fc.weight}
   * @param site where it is called; null in a free function
   */
  record Step(String operator, List<String> parameters, Value result, @Nullable CallSite site) {
    boolean isSame(Step other) {
      return operator.equals(other.operator) && parameters.equals(other.parameters);
    }
  }

  /**
   * A call of a module.
   *
   * @param begin its first step
   * @param end after its last step
   */
  record Span(ModuleNode module, int begin, int end, Value result) {}

  private final List<Step> steps = new ArrayList<>();
  private final List<Span> spans = new ArrayList<>();

  static String parameter(ModuleNode module, String name) {
    return module.path().isEmpty() ? name : module.path() + "." + name;
  }

  void operator(String name, List<Value> arguments, Value result, @Nullable CallSite site) {
    List<String> parameters = new ArrayList<>();
    for (Value argument : arguments) {
      if (argument instanceof Value.Data data && data.parameter() != null) {
        parameters.add(data.parameter());
      }
    }
    steps.add(new Step(name, List.copyOf(parameters), result, site));
  }

  void module(ModuleNode module, int begin, Value result) {
    spans.add(new Span(module, begin, steps.size(), result));
  }

  int size() {
    return steps.size();
  }

  List<Step> steps() {
    return steps;
  }

  /** The inner before the outer. */
  List<Span> spans() {
    return spans;
  }

  boolean hasParameters() {
    return steps.stream().anyMatch(step -> !step.parameters().isEmpty());
  }

  /** Whether a call returned what its last operator made. */
  boolean endsWithItsLast(Span span) {
    if (span.begin() == span.end()) {
      return false;
    }
    Value last = steps.get(span.end() - 1).result();
    return !last.allOrigins().isEmpty() && last.allOrigins().equals(span.result().allOrigins());
  }
}
