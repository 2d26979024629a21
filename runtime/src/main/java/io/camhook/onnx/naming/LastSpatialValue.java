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

/**
 * Finds the last value with positions that a score is computed from. Everything that reaches the
 * score passes through it; only the norm before an attention has the residual connection beside it.
 *
 * <ol>
 *   <li>the input of the last global pool, or mean over positions;
 *   <li>in a transformer, the norm whose tokens enter the last attention (the first norm of the
 *       last block, as in pytorch-grad-cam), because later tokens do not reach the score of a class
 *       token; without such a norm the last tokens {@code [N,T,D]} before that attention;
 *   <li>the last map that the score does not merely rearrange: not the class map of a segmentation
 *       model, nor the boxes of a detector.
 * </ol>
 */
final class LastSpatialValue {
  private static final Set<String> WEIGHTED =
      Set.of("Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "ConvInteger", "Einsum");
  private static final Set<String> NORMS =
      Set.of(
          "LayerNormalization",
          "RMSNormalization",
          "SimplifiedLayerNormalization",
          "SkipLayerNormalization");
  private static final Set<String> RECURRENT = Set.of("LSTM", "GRU", "RNN");
  private static final Set<String> REARRANGING =
      Set.of("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Cast", "Identity", "Dropout");
  private static final Set<String> ATTENTIONS =
      Set.of("Attention", "MultiHeadAttention", "GroupQueryAttention");

  private static final Set<String> POOLS =
      Set.of(
          "GlobalAveragePool",
          "GlobalMaxPool",
          "ReduceMean",
          "ReduceMax",
          "ReduceSum",
          "AveragePool");

  /** A volume: {@code [N,C,D,H,W]}. */
  private static final int LARGEST_RANK = 5;

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
    String tokens = beforeAttention(backwards, score, shapes);
    return tokens != null ? tokens : lastMap(backwards, score, shapes);
  }

  /** Whether no operator with weights comes between a value and the score. */
  boolean isUnweightedUpTo(String value, String score) {
    return withoutWeights(score).contains(value);
  }

  private @Nullable String beforeAttention(
      List<Integer> backwards, String score, Map<String, long[]> shapes) {
    int attention = 0;
    while (attention < backwards.size() && !isAttention(nodes.get(backwards.get(attention)))) {
      attention++;
    }
    if (attention == backwards.size()) {
      return null;
    }
    String entered = nodes.get(backwards.get(attention)).input(0);
    String tokens = null;
    for (int index : backwards.subList(attention, backwards.size())) {
      String output = nodes.get(index).output();
      long[] shape = shapes.get(output);
      if (shape == null || shape.length != 3 || !real.test(output)) {
        continue;
      }
      if (isNorm(nodes.get(index)) && entered != null && onEveryWay(output, entered)) {
        return output;
      }
      if (tokens == null && onEveryWay(output, score)) {
        tokens = output;
      }
    }
    return tokens;
  }

  /** A softmax whose result weights other values, or an operator that is a whole attention. */
  private boolean isAttention(Node node) {
    if (ATTENTIONS.contains(node.operator())) {
      return true;
    }
    if (!node.is("Softmax") || !depends(node.inputs().get(0))) {
      return false;
    }
    Set<String> same = new HashSet<>(Set.of(node.output()));
    for (Node reader : nodes) {
      boolean passesOn = reader.is("Dropout") || reader.is("Cast") || reader.is("Identity");
      if (passesOn && same.contains(reader.inputs().get(0))) {
        same.add(reader.output());
      }
      if (reader.is("MatMul")
          && same.contains(reader.inputs().get(0))
          && depends(reader.inputs().get(1))) {
        return true;
      }
    }
    return false;
  }

  /** One operator; or, in older exports: (x − mean) ÷ √(…) · weight + bias. */
  private boolean isNorm(Node node) {
    if (NORMS.contains(node.operator())) {
      return true;
    }
    Node scaled = node.is("Add") ? makerAmongInputs(node, "Mul") : null;
    Node divided = scaled == null ? null : makerAmongInputs(scaled, "Div");
    return divided != null && makerAmongInputs(divided, "Sqrt") != null;
  }

  private @Nullable Node makerAmongInputs(Node node, String operator) {
    for (String input : node.reads()) {
      Integer maker = makers.get(input);
      if (maker != null && nodes.get(maker).is(operator)) {
        return nodes.get(maker);
      }
    }
    return null;
  }

  private @Nullable String lastMap(
      List<Integer> backwards, String score, Map<String, long[]> shapes) {
    Set<String> rearranged = withoutWeights(score);
    Set<String> recurrent = afterRecurrence();
    long[] scores = shapes.get(score);
    for (int index : backwards) {
      String output = nodes.get(index).output();
      if (REARRANGING.contains(nodes.get(index).operator()) || recurrent.contains(output)) {
        continue; // the value before has the usual name and the positions
      }
      long[] shape = shapes.get(output);
      // A rearranged value counts where positions are lost on the way, by pooling.
      boolean pooled = scores != null && scores.length < 3;
      if (shape != null
          && shape.length >= 3
          && hasPositions(shape)
          && real.test(output)
          && (pooled || !rearranged.contains(output))
          && onEveryWay(output, score)) {
        return output;
      }
    }
    return null;
  }

  /** States of a recurrent layer: the score often depends on the last one alone. */
  private Set<String> afterRecurrence() {
    Set<String> found = new HashSet<>();
    for (Node node : nodes) {
      if (RECURRENT.contains(node.operator()) || node.reads().stream().anyMatch(found::contains)) {
        found.addAll(node.outputs());
      }
    }
    return found;
  }

  private static boolean hasPositions(long[] shape) {
    if (shape.length > LARGEST_RANK) {
      return false;
    }
    for (int i = 2; i < shape.length; i++) {
      if (shape[i] != 1) {
        return true;
      }
    }
    return false;
  }

  /** The values that reach the score without an operator that has weights. */
  private Set<String> withoutWeights(String score) {
    Set<String> seen = new HashSet<>();
    Deque<String> left = new ArrayDeque<>(List.of(score));
    while (!left.isEmpty()) {
      String next = left.pop();
      Integer maker = makers.get(next);
      if (depends(next)
          && seen.add(next)
          && maker != null
          && !WEIGHTED.contains(nodes.get(maker).operator())) {
        left.addAll(nodes.get(maker).reads());
      }
    }
    return seen;
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
    // Fewer axes leave positions: an adaptive pool is the mean of gathered windows [N,C,H,kH,W,kW].
    long[] over = axes.of(node);
    return over != null
        && shape.length >= 4
        && shape.length <= LARGEST_RANK
        && over.length >= shape.length - 2;
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
