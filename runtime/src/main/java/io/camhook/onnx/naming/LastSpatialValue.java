package io.camhook.onnx.naming;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Finds the last layer with positions. */
final class LastSpatialValue {
  private static final Set<String> POOLS =
      Set.of(
          "GlobalAveragePool",
          "GlobalMaxPool",
          "ReduceMean",
          "ReduceMax",
          "ReduceSum",
          "AveragePool");

  /** The constant axes of a reduction. */
  interface Axes {
    long @Nullable [] of(Node node) throws OnnxException;
  }

  private final List<Node> nodes;
  private final Map<String, Integer> makers;
  private final Set<String> dependent;
  private final Predicate<String> real;
  private final Axes axes;

  LastSpatialValue(
      List<Node> nodes,
      Map<String, Integer> makers,
      Set<String> dependent,
      Predicate<String> real,
      Axes axes) {
    this.nodes = nodes;
    this.makers = makers;
    this.dependent = dependent;
    this.real = real;
    this.axes = axes;
  }

  @Nullable String find(String score, Map<String, long[]> shapes) throws OnnxException {
    Set<String> needed = new HashSet<>(Set.of(score));
    List<Integer> backwards = new java.util.ArrayList<>();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      if (nodes.get(i).outputs().stream().anyMatch(needed::contains)) {
        needed.addAll(nodes.get(i).reads());
        backwards.add(i);
      }
    }
    for (int index : backwards) {
      Node node = nodes.get(index);
      String input = node.input(0);
      long[] shape = input == null ? null : shapes.get(input);
      if (input != null
          && shape != null
          && shape.length >= 3
          && POOLS.contains(node.operator())
          && pools(node, shape, shapes.get(node.output()))
          && onEveryWay(input, score)) {
        return input;
      }
    }
    boolean attention = false;
    for (int index : backwards) {
      Node node = nodes.get(index);
      attention |= node.is("Softmax") && depends(node.inputs().get(0));
      String output = node.output();
      long[] shape = shapes.get(output);
      if (attention
          && shape != null
          && shape.length == 3
          && real.test(output)
          && onEveryWay(output, score)) {
        return output;
      }
    }
    return null;
  }

  private boolean depends(String value) {
    return dependent.contains(value) && real.test(value);
  }

  /** Whether a pool takes all positions of an image, or of a signal, together. */
  private boolean pools(Node node, long[] shape, long @Nullable [] pooled) throws OnnxException {
    if (node.operator().equals("AveragePool")) {
      if (pooled == null) {
        return false;
      }
      for (int i = 2; i < pooled.length; i++) {
        if (pooled[i] != 1) {
          return false;
        }
      }
      return true;
    }
    if (node.operator().startsWith("Global")) {
      return true;
    }
    long[] over = axes.of(node);
    return over != null && over.length >= 2 && shape.length >= 4;
  }

  /** Whether nothing that depends on the input reaches the score without passing a value. */
  private boolean onEveryWay(String value, String score) {
    Set<String> seen = new HashSet<>();
    Deque<String> left = new ArrayDeque<>(List.of(score));
    while (!left.isEmpty()) {
      String next = left.pop();
      if (next.equals(value) || !depends(next) || !seen.add(next)) {
        continue;
      }
      Integer maker = makers.get(next);
      if (maker == null) {
        return false;
      }
      left.addAll(nodes.get(maker).reads());
    }
    return true;
  }
}
