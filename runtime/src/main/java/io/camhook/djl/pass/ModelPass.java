package io.camhook.djl.pass;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.HookedGrad;
import io.camhook.recording.LayerOutput;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/*
 * The prefix of the model, up to the first hooked layer, runs without a graph. There the pass is cut: the
 * layer's output A, detached and requiring grad, becomes the leaf of a graph that grows from there on. The
 * next layer gets a copy of A, so that A keeps its values even if an operator works in place. Layers after the
 * cut are already in the graph and are noted unchanged; again the model continues with a copy. At the end one
 * call differentiates a score with respect to all A.
 *
 * If the caller builds a graph itself (training), the graph stays: nothing is switched or detached.
 */
/**
 * One pass through a model: it runs on inputs, layers are recorded, scores are differentiated with
 * respect to what the layers returned. Sampled requests and sessions run the same pass; {@link
 * BlockPass} is for models of Java blocks, {@link ScriptPass} for TorchScript.
 *
 * <p>A pass belongs to one thread. Its arrays live in the given manager.
 */
public abstract class ModelPass implements AutoCloseable {
  /**
   * Scores are differentiated with respect to {@code node}: the value itself, or its counterpart in
   * the graph.
   */
  private record Layer(NDArray value, @Nullable NDArray node) {}

  private final NDManager owner;
  private final boolean gradients;
  private final boolean callersGraph;
  private final boolean gradModeBefore;
  private final Map<String, Integer> calls = new HashMap<>();
  private final Map<LayerOutput, Layer> layers = new LinkedHashMap<>();
  private final Set<LayerOutput> blocked = new LinkedHashSet<>();
  private boolean cut;

  /**
   * Begins a pass. With gradients this thread's grad mode is off for the prefix of the model;
   * {@link #close} restores it.
   *
   * @param owner manager of what is recorded
   * @param gradients whether scores will be differentiated
   * @param inference whether nobody else wants a graph of this pass
   */
  ModelPass(NDManager owner, boolean gradients, boolean inference) {
    this.owner = owner;
    this.gradients = gradients;
    this.gradModeBefore = JniUtils.isGradMode();
    this.callersGraph = gradModeBefore && !inference;
    if (gradients && gradModeBefore && !callersGraph) {
      JniUtils.setGradMode(false);
    }
  }

  /** The manager of what is recorded. */
  public final NDManager owner() {
    return owner;
  }

  /** Whether the pass asks for gradients. */
  public final boolean wantsGradients() {
    return gradients;
  }

  /** Whether the caller builds its own graph, as in training. */
  public final boolean isInCallersGraph() {
    return callersGraph;
  }

  /** Whether the pass has been cut, so that its rest is in a graph. */
  public final boolean isCut() {
    return cut;
  }

  final void cut() {
    cut = true;
  }

  /**
   * Called when a recorded block has returned.
   *
   * @return the values for its caller, equal to {@code outputs}
   */
  public NDList returned(String path, NDList outputs) {
    return outputs;
  }

  /**
   * The engine is about to run a TorchScript model.
   *
   * @param training whether it would run with autograd
   * @return its outputs, if this pass has run it instead
   */
  public @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return null;
  }

  /**
   * The pass that computed its gradients in the same call; null if they are computed afterwards.
   */
  public @Nullable GradientPass inOneCall() {
    return null;
  }

  /** The number of the call of {@code path} that has just ended, from 0. */
  final int endedCall(String path) {
    return calls.merge(path, 1, Integer::sum) - 1;
  }

  final void record(LayerOutput layer, NDArray value, @Nullable NDArray node) {
    layers.put(layer, new Layer(value, node));
  }

  /**
   * A module or operator of a TorchScript model returned, in a pass with hooks inside that look.
   * The hooks may change the values, and the graph is the application's.
   *
   * @param firstCall as in {@link TapPlan.Label#of}
   * @param keys which elements of its result {@code values} are, empty for a plain tensor
   */
  final void looked(String path, int firstCall, List<String> keys, List<? extends NDArray> values) {
    int call = endedCall(path);
    for (int i = 0; i < values.size(); i++) {
      NDArray value = values.get(i);
      boolean inGraph = gradients && Tensors.isFloating(value) && Tensors.requiresGrad(value);
      record(
          layer(TapPlan.Label.of(path, firstCall, call, keys.get(i))),
          detachedCopy(value),
          inGraph ? Tensors.alias(value, owner) : null);
    }
  }

  /**
   * Modules and operators of a TorchScript model returned, in a run that records them.
   *
   * @param paths maps a path in the archive to the layer in the capture; null if it is not captured
   */
  final void tapped(RecordedRun run, Function<String, @Nullable String> paths) {
    Map<String, Integer> before = Map.copyOf(calls);
    for (int i = 0; i < run.taps().size(); i++) {
      NDArray value = run.taps().get(i);
      NDScope.unregister(value);
      TapPlan.Label label = run.labels().get(i);
      String path = paths.apply(label.path());
      if (path == null) {
        value.close();
        continue;
      }
      int call = before.getOrDefault(path, 0) + label.call();
      calls.merge(path, call + 1, Math::max);
      LayerOutput layer = layer(new TapPlan.Label(path, call, label.key()));
      if (label.blocked()) {
        blocked.add(layer);
      }
      if (wantsGradients() && Tensors.requiresGrad(value)) {
        record(layer, value, value);
      } else {
        record(layer, detachedCopy(value), null);
        value.close();
      }
    }
  }

  /**
   * The recorded layers whose gradient was wanted and cannot be computed, because the value is in
   * oneDNN's blocked layout.
   */
  public final Set<LayerOutput> blocked() {
    return blocked;
  }

  static LayerOutput layer(TapPlan.Label label) {
    return new LayerOutput(label.path(), label.call(), label.key().isEmpty() ? null : label.key());
  }

  /** The layers' results, in order of the calls; with gradients, as part of the graph. */
  public final Map<LayerOutput, NDArray> recorded() {
    Map<LayerOutput, NDArray> values = new LinkedHashMap<>();
    layers.forEach((name, layer) -> values.put(name, layer.value()));
    return values;
  }

  /** The recorded layers that are in a graph. */
  public final List<LayerOutput> differentiable() {
    List<LayerOutput> names = new ArrayList<>();
    layers.forEach(
        (name, layer) -> {
          if (layer.node() != null) {
            names.add(name);
          }
        });
    return names;
  }

  /** Whether no recorded value so far is in a graph. */
  public final boolean lacksGraph() {
    return !blocked.containsAll(layers.keySet()) && differentiable().isEmpty();
  }

  /**
   * The gradients of ⟨seed, output⟩ with respect to layers.
   *
   * @param output what the model returned
   * @param of some of {@link #differentiable}
   * @param keepGraph whether the graph is differentiated again
   * @return no entry for layers that the output does not depend on
   * @throws EngineException if an operator on the path has no derivative
   */
  public final Map<LayerOutput, NDArray> gradients(
      NDArray output, NDArray seed, Collection<LayerOutput> of, boolean keepGraph) {
    List<NDArray> nodes = of.stream().map(this::node).toList();
    List<@Nullable NDArray> found =
        callersGraph
                && GradPoints.all().isUsed() // backward hooks of the application have cut the graph
            ? HookedGrad.past(GradPoints.all(), owner, List.of(output), List.of(seed), nodes)
            : AutogradGateway.instance()
                .grad(owner, List.of(output), nodes, List.of(seed), keepGraph || callersGraph);
    Map<LayerOutput, NDArray> gradients = new LinkedHashMap<>();
    int i = 0;
    for (LayerOutput layer : of) {
      NDArray gradient = found.get(i++);
      if (gradient != null) {
        gradients.put(layer, gradient);
      }
    }
    return gradients;
  }

  /**
   * A layer's node in the graph.
   *
   * @throws IllegalArgumentException if it is not recorded
   */
  public final NDArray node(LayerOutput layer) {
    Layer recorded = layers.get(layer);
    if (recorded == null) {
      throw new IllegalArgumentException("layer '%s' is not recorded".formatted(layer));
    }
    return Objects.requireNonNullElse(recorded.node(), recorded.value());
  }

  /** The layers' results, detached from the graph, which the pass no longer needs. */
  final Map<LayerOutput, NDArray> taken() {
    Map<LayerOutput, NDArray> values = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) -> {
          NDArray value = layer.value();
          NDArray node = layer.node();
          if (node != null) {
            value = node == value ? Tensors.detached(value, owner) : value;
            node.close();
          }
          values.put(name, value);
        });
    layers.clear();
    return values;
  }

  /** {@code outputs} as the application would have had them without the pass. */
  public final NDList applicationOutputs(NDList outputs) {
    if (!cut || callersGraph) {
      return outputs;
    }
    NDList plain = new NDList(outputs.size());
    for (NDArray output : outputs) {
      plain.add(applicationOutput(output));
    }
    return plain;
  }

  /** One output without its graph. */
  NDArray applicationOutput(NDArray output) {
    return Tensors.requiresGrad(output) ? Tensors.withoutGraph(output) : output;
  }

  final NDArray detachedCopy(NDArray array) {
    try (NDArray view = Tensors.detached(array, owner)) {
      return Tensors.copyOf(view, owner);
    }
  }

  /** Restores this thread's grad mode. */
  @Override
  public final void close() {
    JniUtils.setGradMode(gradModeBefore);
  }
}
