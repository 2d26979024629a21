package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The operators that a walk has visited, in order, and which of them each module call ran. */
final class OperatorTrace {
  /**
   * An operator that returns tensors.
   *
   * @param parameters those among its arguments, {@code fc.weight}
   * @param branches the branches that it is in: the number of the {@code if}, negative after else
   * @param site where it is called; null in a free function
   */
  record Step(
      String operator,
      List<String> parameters,
      Value result,
      boolean isInPlace,
      List<Integer> branches,
      @Nullable CallSite site) {
    boolean isSame(Step other) {
      return operator.equals(other.operator) && parameters.equals(other.parameters);
    }

    /** Whether only one of the two can run. */
    boolean excludes(Step other) {
      return branches.stream().anyMatch(branch -> other.branches.contains(-branch));
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
  private final Deque<Integer> branches = new ArrayDeque<>();
  private final List<Span> spans = new ArrayList<>();
  private int ifs;

  static String parameter(ModuleNode module, String name) {
    return module.path().isEmpty() ? name : module.path() + "." + name;
  }

  void operator(
      String name, List<Value> arguments, Value result, boolean inPlace, @Nullable CallSite site) {
    List<String> parameters = new ArrayList<>();
    for (Value argument : arguments) {
      if (argument instanceof Value.Data data && data.parameter() != null) {
        parameters.add(data.parameter());
      }
    }
    steps.add(
        new Step(name, List.copyOf(parameters), result, inPlace, List.copyOf(branches), site));
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

  /** The inner before the outer, the module that was followed last. */
  List<Span> spans() {
    return spans;
  }

  /** The call of the module that was followed. */
  Span whole() {
    return spans.get(spans.size() - 1);
  }

  /** The module that was followed. */
  ModuleNode module() {
    return whole().module();
  }

  boolean hasParameters() {
    return steps.stream().anyMatch(step -> !step.parameters().isEmpty());
  }

  /** Until the {@code if} ends, steps are in one of its branches, the first one first. */
  void enterBranch() {
    branches.push(++ifs);
  }

  void otherBranch() {
    branches.push(-branches.pop());
  }

  void leaveBranch() {
    branches.pop();
  }

  /**
   * The steps whose values a call returned, the one or the other if a branch decides, or all as a
   * tuple; none if the code does not tell, or changes the value in place later.
   */
  Set<Integer> returned(Span span) {
    return returned(span, span.result());
  }

  private Set<Integer> returned(Span span, Value value) {
    Set<Integer> all = new TreeSet<>();
    if (value instanceof Value.TupleOf tuple) {
      tuple.items().forEach(item -> all.addAll(returned(span, item)));
      return all;
    }
    for (int maker : value.makers()) {
      if (maker < span.begin() || maker >= span.end() || isChanged(maker, span.end())) {
        return Set.of();
      }
      if (!all.stream().allMatch(other -> steps.get(other).excludes(steps.get(maker)))) {
        return Set.of();
      }
      all.add(maker);
    }
    return all;
  }

  private boolean isChanged(int maker, int end) {
    Set<Integer> memory = steps.get(maker).result().allOrigins();
    return steps.subList(maker + 1, end).stream()
        .filter(Step::isInPlace)
        .anyMatch(step -> !Collections.disjoint(memory, step.result().allOrigins()));
  }
}
