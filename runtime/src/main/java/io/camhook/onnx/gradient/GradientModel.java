package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * A model that also computes the gradients of a score with respect to inner values, using standard
 * ONNX operators only, so that any engine can run it.
 *
 * <pre>{@code
 * OnnxModel upgraded = OpsetUpgrade.upgraded(OnnxModel.read(file));
 * GradientModel gradient =
 *     GradientModel.of(upgraded, types)        // types: from a session that outputs all values
 *         .taps(List.of("/layer4/layer4.1/relu_1/Relu_output_0"))
 *         .score("logits")
 *         .build();
 * OrtSession session = environment.createSession(gradient.model().toByteArray());
 * // inputs: those of session.getInputNames(): the model's, as far as needed, and
 * //         camhook_seed = d score / d logits, in the shape of the logits (one-hot: a class logit)
 * // outputs: the taps by their own names (A), and gradient.gradientOf(tap) (g)
 * }</pre>
 *
 * <p>With {@link Builder#byClass} the input is {@code camhook_target} instead, int64 {@code [N]} or
 * {@code [1]}: class indices, -1 for the top class of each sample.
 *
 * <p>Only nodes that the outputs need are kept: if the model ends with global average pooling and a
 * linear layer, the gradient is a row of the weight and the pass ends at the tap.
 */
public final class GradientModel {
  /** Input: ∂score/∂output, in the shape and type of the output. */
  public static final String SEED = "camhook_seed";

  /** Input: class indices, int64 {@code [N]} or {@code [1]}; -1: the top class. */
  public static final String TARGET = "camhook_target";

  private final OnnxModel model;
  private final Map<String, String> gradients;
  private final Map<String, String> refusals;

  private final Set<String> constant;

  private GradientModel(
      OnnxModel model,
      Map<String, String> gradients,
      Map<String, String> refusals,
      Set<String> constant) {
    this.model = model;
    this.gradients = gradients;
    this.refusals = refusals;
    this.constant = constant;
  }

  /**
   * Starts building a gradient model.
   *
   * @param upgraded a model returned by {@link OpsetUpgrade#upgraded}
   * @param types types of its values; unknown dimensions are -1 and are computed when the model
   *     runs
   */
  public static Builder of(OnnxModel upgraded, Map<String, TensorType> types) {
    return new Builder(upgraded, types);
  }

  /** The model to run. */
  public OnnxModel model() {
    return model;
  }

  /** The output that holds a tap's gradient; empty if there is none, see {@link #refusals}. */
  public Optional<String> gradientOf(String tap) {
    return Optional.ofNullable(gradients.get(tap));
  }

  /**
   * Taps without a gradient, and why: an operator is not differentiable, or no path leads to the
   * score.
   */
  public Map<String, String> refusals() {
    return refusals;
  }

  /**
   * Whether a tap has no gradient because small changes of it do not change the score: the score
   * does not depend on it, or only through comparisons and shapes. The gradient is then 0.
   */
  public boolean isConstantIn(String tap) {
    return constant.contains(tap);
  }

  /** Collects the settings of a gradient model. */
  public static final class Builder {
    private final OnnxModel source;
    private final Map<String, TensorType> known;
    private final Set<String> taps = new LinkedHashSet<>();
    private final Set<String> alsoOutputs = new LinkedHashSet<>();
    private @Nullable String score;
    private boolean byClass;
    private boolean guided;
    private String prefix = "camhook/";

    private Builder(OnnxModel source, Map<String, TensorType> known) {
      this.source = source;
      this.known = known;
    }

    /** Names of the values whose activation and gradient are outputs; inputs of the model too. */
    public Builder taps(Collection<String> names) {
      taps.addAll(names);
      return this;
    }

    /** The output that the score is computed from. */
    public Builder score(String output) {
      score = output;
      return this;
    }

    /** Further values to return, such as the model's own outputs. */
    public Builder outputs(Collection<String> names) {
      alsoOutputs.addAll(names);
      return this;
    }

    /**
     * The score is a class logit, chosen by the input {@link #TARGET}; axis 1 is the class axis.
     */
    public Builder byClass() {
      byClass = true;
      return this;
    }

    /** ReLUs pass back {@code g·(x > 0)·(g > 0)} (guided backpropagation). */
    public Builder guided() {
      guided = true;
      return this;
    }

    /** Prefix for the names of added values; needed to differentiate a gradient model again. */
    public Builder prefix(String start) {
      prefix = start;
      return this;
    }

    /**
     * Writes the backward pass.
     *
     * @throws OnnxException if the model lacks one of the values, or its operator set is not
     *     supported
     */
    public GradientModel build() throws OnnxException {
      if (score == null) {
        throw new IllegalStateException("no score");
      }
      return new Pass(this, score).build();
    }
  }

  /** One backward pass being written. */
  private static final class Pass {
    private final Builder wanted;
    private final String score;
    private final Graph graph;
    private final Types types;
    private final Backward backward;
    private final Set<String> forward = new HashSet<>();
    private final Set<String> toScore = new HashSet<>();
    private final Set<String> path;
    private final Map<String, List<String>> arriving = new HashMap<>();
    private final Map<String, String> collected = new HashMap<>();
    private final Map<String, String> blocked = new HashMap<>();
    private final Set<String> constant = new HashSet<>();

    Pass(Builder wanted, String score) throws OnnxException {
      this.wanted = wanted;
      this.score = score;
      graph = wanted.source.graph();
      types = new Types(graph, wanted.known);
      backward =
          new Backward(types, Math.max(17, wanted.source.opset()), wanted.prefix, wanted.guided);
      Set<String> made = new HashSet<>();
      graph.inputs().forEach(input -> made.add(input.name()));
      graph.nodes().forEach(node -> made.addAll(node.outputs()));
      for (String name : wanted.taps) {
        if (!made.contains(name)) {
          throw new OnnxException("the graph has no value " + name);
        }
      }
      if (!made.contains(score)) {
        throw new OnnxException("the graph has no value " + score);
      }
      reach();
      path = new HashSet<>(forward);
      path.retainAll(toScore);
    }

    /** Real values that depend on a tap, and values that the score depends on. */
    private void reach() {
      forward.addAll(wanted.taps);
      for (Node node : graph.nodes()) {
        if (!Rules.isWithoutGradient(node) && node.reads().stream().anyMatch(forward::contains)) {
          node.outputs().stream()
              .filter(output -> !output.isEmpty() && types.isReal(output))
              .forEach(forward::add);
        }
      }
      toScore.add(score);
      for (int i = graph.nodes().size() - 1; i >= 0; i--) {
        Node node = graph.nodes().get(i);
        if (node.outputs().stream().anyMatch(toScore::contains)) {
          toScore.addAll(node.reads());
        }
      }
    }

    GradientModel build() throws OnnxException {
      List<ValueInfo> inputs = new ArrayList<>(graph.inputs());
      String seed = wanted.byClass ? classSeed(inputs) : givenSeed(inputs);
      arriving.put(score, new ArrayList<>(List.of(seed)));
      for (int i = graph.nodes().size() - 1; i >= 0; i--) {
        back(graph.nodes().get(i));
      }
      Map<String, String> gradients = new LinkedHashMap<>();
      Map<String, String> refusals = new LinkedHashMap<>();
      int index = 0;
      for (String tap : wanted.taps) {
        String gradient = collect(tap);
        if (blocked.containsKey(tap)) {
          refusals.put(tap, String.valueOf(blocked.get(tap)));
        } else if (gradient == null) {
          refusals.put(tap, noWay(tap));
        } else {
          String name = wanted.prefix + "gradient_" + index;
          backward
              .nodes()
              .add(Node.of("Identity", name, List.of(gradient), List.of(name), List.of()));
          gradients.put(tap, name);
        }
        index++;
      }
      return new GradientModel(pruned(inputs, gradients), gradients, refusals, constant);
    }

    private OnnxModel pruned(List<ValueInfo> inputs, Map<String, String> gradients)
        throws OnnxException {
      List<Node> nodes = new ArrayList<>(graph.nodes());
      nodes.addAll(backward.nodes());
      List<TensorData> constants = new ArrayList<>(graph.initializers());
      constants.addAll(backward.constants());
      OnnxModel whole =
          wanted.source.withGraph(graph.with(nodes, constants, inputs, graph.outputs()));
      Set<String> outputs = new LinkedHashSet<>(wanted.alsoOutputs);
      Set<String> given = new HashSet<>();
      graph.realInputs().forEach(input -> given.add(input.name()));
      wanted.taps.stream().filter(tap -> !given.contains(tap)).forEach(outputs::add);
      outputs.addAll(gradients.values());
      return Subgraph.upTo(whole, outputs, wanted.known);
    }

    private String givenSeed(List<ValueInfo> inputs) {
      TensorType type = types.get(score);
      ElementType element = types.element(score);
      List<Dimension> dimensions = type == null ? null : type.dimensions();
      TensorType seed = new TensorType(element, dimensions);
      inputs.add(ValueInfo.of(SEED, seed));
      types.put(SEED, seed);
      return SEED;
    }

    private String classSeed(List<ValueInfo> inputs) throws OnnxException {
      inputs.add(
          ValueInfo.of(
              TARGET,
              new TensorType(ElementType.INT64, List.of(new Dimension(-1, "camhook_targets")))));
      List<Dimension> dimensions = types.dimensions(score);
      if (dimensions == null) {
        throw new OnnxException("the number of dimensions of " + score + " is not known");
      }
      int rank = dimensions.size();
      if (rank < 2) {
        return backward.expandLike(backward.real(1, score), score);
      }
      long[] positions = LongStream.range(2, rank).toArray();
      String summed = rank == 2 ? score : backward.sum(score, false, positions);
      String top =
          backward.op(
              "ArgMax", List.of(summed), Attribute.of("axis", 1), Attribute.of("keepdims", 0));
      String chosen =
          backward.op("Where", backward.op("Less", TARGET, backward.longs(0)), top, TARGET);
      String classes = backward.op("Squeeze", backward.size(score, 1));
      String values = backward.reals(new long[] {2}, new double[] {0, 1}, score);
      String rows =
          backward.op("OneHot", List.of(chosen, classes, values), Attribute.of("axis", -1));
      return backward.expandLike(
          rank == 2 ? rows : backward.op("Unsqueeze", rows, backward.longs(positions)), score);
    }

    private void back(Node node) {
      if (node.outputs().stream().noneMatch(path::contains)) {
        return;
      }
      if (node.reads().stream().noneMatch(path::contains)) {
        return;
      }
      List<@Nullable String> gradients = new ArrayList<>();
      boolean any = false;
      for (String output : node.outputs()) {
        String reason = blocked.get(output);
        if (reason != null) {
          block(node, reason);
          return;
        }
        String gradient = path.contains(output) ? collect(output) : null;
        any |= gradient != null;
        gradients.add(gradient);
      }
      if (!any) {
        return;
      }
      Rule rule = Rules.of(node);
      if (rule == null || !node.graphs().isEmpty()) {
        block(node, "no gradient through " + node.label() + ": " + Blocker.reason(node));
        return;
      }
      try {
        rule.back(
            backward,
            node,
            new OperatorBackward(
                node,
                gradients,
                path,
                (input, gradient) ->
                    arriving.computeIfAbsent(input, key -> new ArrayList<>()).add(gradient)));
      } catch (OnnxException e) {
        block(node, String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        // Attributes and inputs contradict each other: the file's fault, reported with the place.
        block(node, "no gradient through " + node.label() + ": its attributes make no sense: " + e);
      }
    }

    private void block(Node node, String reason) {
      node.reads().stream().filter(path::contains).forEach(r -> blocked.putIfAbsent(r, reason));
    }

    private @Nullable String collect(String value) {
      String done = collected.get(value);
      List<String> parts = arriving.get(value);
      if (done != null || parts == null) {
        return done;
      }
      String sum =
          parts.size() == 1
              ? parts.get(0)
              : parts.size() == 2
                  ? backward.add(parts.get(0), parts.get(1))
                  : backward.op("Sum", parts);
      collected.put(value, sum);
      return sum;
    }

    /** Why no gradient flows from the score to a tap. */
    private String noWay(String tap) {
      if (!types.isReal(tap)) {
        return "no gradient: " + tap + " holds " + types.element(tap) + ", not real numbers";
      }
      Set<String> any = new HashSet<>(Set.of(tap));
      Set<String> blockers = new TreeSet<>();
      String reason = null;
      for (Node node : graph.nodes()) {
        if (node.reads().stream().anyMatch(any::contains)) {
          any.addAll(node.outputs());
          boolean relevant = node.outputs().stream().anyMatch(toScore::contains);
          if (relevant && (Rules.of(node) == null || Rules.isWithoutGradient(node))) {
            blockers.add(node.qualifiedOperator());
            reason =
                reason == null && Rules.of(node) == null && !Rules.isWithoutGradient(node)
                    ? node.label() + ": " + Blocker.reason(node)
                    : reason;
          }
        }
      }
      if (reason == null) {
        constant.add(tap);
      }
      if (!any.contains(score)) {
        return "no gradient: " + score + " does not depend on " + tap;
      }
      return reason == null
          ? "no gradient from %s to %s: only %s between them"
              .formatted(score, tap, String.join(", ", blockers))
          : "no gradient through " + reason;
    }
  }
}
