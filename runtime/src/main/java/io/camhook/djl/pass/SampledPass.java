package io.camhook.djl.pass;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.capture.ClassScores;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.HookedGrad;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.TensorName;
import io.camhook.torchscript.twin.TapPlan;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * The prefix of the model, up to the first hooked layer, runs without a graph. There the pass is cut: the
 * layer's output A, detached and requiring grad, becomes the leaf of a graph that grows from there on. What
 * the next layer gets is a copy of A, so that A is still what it was at the hook when an operator works in
 * place. Layers behind the cut are already in the graph and are remembered as they are, the application again
 * going on with a copy. At the end one call differentiates the score with respect to all A, and the
 * application gets its outputs without the graph.
 *
 * Where the caller builds a graph itself (training), it keeps it: nothing is switched or detached.
 */
/**
 * One captured forward pass on one thread. Its arrays live in a manager of its own, which goes to
 * the capture queue with them.
 */
public final class SampledPass {
  /** What is differentiated is {@code node}: the value itself, or where it stands in the graph. */
  private record Recorded(LayerOutput layer, NDArray value, @Nullable NDArray node) {}

  private final ModelPlan plan;
  private final NDManager owner;
  private final CapturedPass capture;
  private final boolean gradModeBefore;
  private final boolean callersGraph;
  private final boolean gradient;
  private final @Nullable Condition when;
  private final Map<String, Integer> calls = new HashMap<>();
  private final List<Recorded> recorded = new ArrayList<>();
  private boolean cut;
  private boolean scripted;
  private boolean wanted = true;
  private @Nullable EngineException gradientFailure;
  private @Nullable GradientPass gradients;

  /**
   * Begins a pass and sets this thread's grad mode for its prefix; {@link #finish} or {@link
   * #abandon} restores it.
   *
   * @param inference whether nobody else wants a graph of this pass
   * @param when what its result must be like to be captured; null captures any
   */
  public SampledPass(ModelPlan plan, NDList inputs, boolean inference, @Nullable Condition when) {
    this.plan = plan;
    this.when = when;
    this.owner = Engine.getEngine("PyTorch").newBaseManager(inputs.head().getDevice());
    owner.setName("camhook capture");
    this.capture = new CapturedPass(plan.label(), Instant.now(), owner, plan::unrecordable);
    this.gradient = plan.wantsGradient() && !plan.isOpaque();
    this.gradModeBefore = JniUtils.isGradMode();
    this.callersGraph = gradModeBefore && !inference;
    if (gradient && gradModeBefore && !callersGraph) {
      JniUtils.setGradMode(false);
    }
    try {
      if (plan.captures(CaptureKind.INPUT)) {
        for (int i = 0; i < inputs.size(); i++) {
          capture.add(TensorName.input(i), detachedCopy(inputs.get(i)));
        }
      }
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  /** The manager of what is captured; arrays made in it live as long as the capture. */
  public NDManager owner() {
    return owner;
  }

  /** Adds the picture, made in {@link #owner}. */
  public void image(NDArray image) {
    capture.add(TensorName.IMAGE, image);
  }

  /** Whether the pass asks for gradients. */
  public boolean wantsGradient() {
    return gradient;
  }

  /** Why the engine gave no gradients; null if it did, or was not asked. */
  @Nullable
  public EngineException gradientFailure() {
    return gradientFailure;
  }

  /** Whether the rest of the pass has been changed so far (by the cut). */
  public boolean cut() {
    return cut;
  }

  /**
   * A hooked layer returned.
   *
   * @return what its caller gets: the same values
   */
  public NDList layer(String path, NDList outputs) {
    int call = calls.merge(path, 1, Integer::sum) - 1;
    NDList handedOn = new NDList(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      String entry = outputs.size() == 1 ? null : Integer.toString(i);
      handedOn.add(record(new LayerOutput(path, call, entry), outputs.get(i)));
    }
    return handedOn;
  }

  private NDArray record(LayerOutput layer, NDArray output) {
    if (!gradient || !Tensors.isFloating(output)) {
      recorded.add(new Recorded(layer, detachedCopy(output), null));
      return output;
    }
    if (!callersGraph) {
      JniUtils.setGradMode(true);
    }
    cut = true;
    AutogradGateway.Tap tap = AutogradGateway.instance().tap(owner, output);
    NDScope.unregister(tap.value());
    recorded.add(new Recorded(layer, tap.value(), tap.value()));
    return Tensors.inPlaceOf(output, tap.copy());
  }

  /**
   * Runs the instrumented twin of a TorchScript model, where the pass is captured.
   *
   * @param training whether the application would run the model with autograd
   * @return what the model returned
   */
  public NDList script(PtSymbolBlock block, TapPlan taps, NDList inputs, boolean training) {
    if (gradient) {
      JniUtils.setGradMode(true);
    }
    ScriptPlan script = plan.script();
    Integer target = plan.onlyClass();
    boolean undecided = when != null; // else the gradients would come before the decision
    if (gradient
        && !undecided
        && !callersGraph
        && script != null
        && script.isOneCall()
        && target != null) {
      try {
        return differentiated(GradientPass.run(block, taps, target, inputs, training, owner));
      } catch (EngineException e) {
        script.inTwoCalls(); // perhaps it can do without its gradients
      }
    }
    ScriptPass run = ScriptPass.run(block, taps, inputs, gradient, gradient || training, owner);
    cut = true;
    scripted = true;
    for (int i = 0; i < run.taps().size(); i++) {
      NDArray value = run.taps().get(i);
      NDScope.unregister(value);
      LayerOutput layer = layer(run.labels().get(i));
      if (gradient && Tensors.requiresGrad(value)) {
        recorded.add(new Recorded(layer, value, value));
      } else {
        recorded.add(new Recorded(layer, detachedCopy(value), null));
        value.close();
      }
    }
    return run.outputs();
  }

  /**
   * A module or operator of a TorchScript model returned, in a pass that hooks inside look at. They
   * may change the values, and the graph is the application's.
   *
   * @param firstCall as in {@link TapPlan.Label#of}
   * @param keys which elements of its result {@code values} are, empty for a plain tensor
   */
  void looked(String path, int firstCall, List<String> keys, List<? extends NDArray> values) {
    int call = calls.merge(path, 1, Integer::sum) - 1;
    for (int i = 0; i < values.size(); i++) {
      NDArray value = values.get(i);
      LayerOutput layer = layer(TapPlan.Label.of(path, firstCall, call, keys.get(i)));
      boolean inGraph = gradient && Tensors.isFloating(value) && Tensors.requiresGrad(value);
      recorded.add(
          new Recorded(layer, detachedCopy(value), inGraph ? Tensors.alias(value, owner) : null));
    }
  }

  /** Whether the caller makes a graph of its own, as training does. */
  public boolean isInCallersGraph() {
    return callersGraph;
  }

  /** Whether nothing of what was recorded so far stands in a graph. */
  public boolean lacksGraph() {
    return !recorded.isEmpty() && recorded.stream().allMatch(layer -> layer.node() == null);
  }

  private NDList differentiated(GradientPass run) {
    gradients = run;
    List<TapPlan.Label> labels = run.labels();
    for (int i = 0; i < labels.size(); i++) {
      recorded.add(new Recorded(layer(labels.get(i)), run.taps().get(i), null));
    }
    return new NDList(run.output());
  }

  private static LayerOutput layer(TapPlan.Label label) {
    return new LayerOutput(label.path(), label.call(), label.key().isEmpty() ? null : label.key());
  }

  /**
   * The model returned.
   *
   * @return what the application gets: the same values
   */
  public NDList finish(NDList outputs) {
    try {
      if (gradients != null) {
        addDifferentiated(gradients);
        addActivations();
        return outputs;
      }
      if (plan.captures(CaptureKind.OUTPUT)) {
        List<NDArray> ordered = Scores.inOrder(outputs, plan.scored().output());
        for (int i = 0; i < ordered.size(); i++) {
          capture.add(TensorName.output(i), detachedCopy(ordered.get(i)));
        }
      }
      try (NDManager scratch = owner.newSubManager()) {
        Scores scores = Scores.of(outputs, plan.scored(), scratch);
        wanted = when == null;
        if (scores != null) {
          List<List<Prediction>> predictions = scores.classes().predictions(plan.classNames());
          capture.predictions(predictions);
          wanted = when == null || Prediction.anyMeets(predictions, when::holds);
          if (gradient && wanted) {
            differentiateIfPossible(scores, scratch);
          }
        }
      }
      addActivations();
      return applicationOutputs(outputs);
    } finally {
      JniUtils.setGradMode(gradModeBefore);
    }
  }

  /** An operator may have no derivative; what was recorded so far is worth keeping. */
  private void differentiateIfPossible(Scores scores, NDManager scratch) {
    try {
      differentiate(scores, scratch);
    } catch (EngineException e) {
      gradientFailure = e;
    }
  }

  private void addDifferentiated(GradientPass run) {
    if (plan.captures(CaptureKind.OUTPUT)) {
      capture.add(TensorName.output(0), run.scores());
    }
    Integer target = plan.onlyClass();
    if (target != null && target >= 0 && !run.classes().isEmpty()) {
      Shape shape = run.scores().getShape();
      ClassScores.requireClass(target, (int) shape.get(shape.dimension() == 1 ? 0 : 1));
    }
    for (int i = 0; i < run.labels().size(); i++) {
      NDArray gradientOfLayer = run.gradients().get(i);
      if (gradientOfLayer != null) {
        capture.add(TensorName.gradient(0, layer(run.labels().get(i))), gradientOfLayer);
      }
    }
    if (run.classifierRows() != null) {
      capture.add(TensorName.CLASSIFIER_WEIGHT, run.classifierRows());
    }
    capture.scores(run.scores(), run.explained(), plan.classNames());
  }

  private List<@Nullable NDArray> gradients(
      NDArray output, List<NDArray> inputs, NDArray seed, boolean keepGraph) {
    return callersGraph
            && GradPoints.all().isUsed() // backward hooks of the application have cut it
        ? HookedGrad.past(GradPoints.all(), owner, List.of(output), List.of(seed), inputs)
        : AutogradGateway.instance().grad(owner, List.of(output), inputs, List.of(seed), keepGraph);
  }

  private void differentiate(Scores scores, NDManager scratch) {
    List<Recorded> layers = recorded.stream().filter(layer -> layer.node() != null).toList();
    if (layers.isEmpty() || !Tensors.requiresGrad(scores.logits())) {
      return;
    }
    List<Target> targets = scores.classes().targets(plan.target(), plan.classNames());
    int rounds = targets.stream().mapToInt(Target::n).max().orElse(-1) + 1;
    List<NDArray> inputs =
        layers.stream().map(layer -> Objects.requireNonNull(layer.node())).toList();
    for (int n = 0; n < rounds; n++) {
      boolean keepGraph = callersGraph || n + 1 < rounds;
      List<@Nullable NDArray> gradients =
          gradients(scores.logits(), inputs, scores.seed(targets, n, scratch), keepGraph);
      for (int i = 0; i < layers.size(); i++) {
        NDArray gradientOfLayer = gradients.get(i);
        if (gradientOfLayer != null) {
          capture.add(TensorName.gradient(n, layers.get(i).layer()), gradientOfLayer);
        }
      }
    }
    capture.targets(targets);
    NDArray weights = plan.classifierRows(layers.get(0).value(), targets, owner);
    if (weights != null) {
      capture.add(TensorName.CLASSIFIER_WEIGHT, weights);
    }
  }

  private void addActivations() {
    for (Recorded layer : recorded) {
      NDArray value = layer.value();
      NDArray node = layer.node();
      if (node != null) {
        value = node == value ? Tensors.detached(value, owner) : value;
        node.close();
      }
      if (plan.captures(CaptureKind.ACTIVATION)) {
        capture.add(TensorName.activation(layer.layer()), value);
      } else {
        value.close();
      }
    }
  }

  /** {@code outputs} as the application would have had them without the pass. */
  public NDList applicationOutputs(NDList outputs) {
    if (!cut || callersGraph) {
      return outputs;
    }
    NDList plain = new NDList(outputs.size());
    for (NDArray output : outputs) {
      NDArray free = Tensors.requiresGrad(output) ? Tensors.withoutGraph(output) : output;
      plain.add(scripted ? ownMemory(free, output) : free);
    }
    return plain;
  }

  /** The last tap may be the output itself, and the application may change that in place. */
  private static NDArray ownMemory(NDArray array, NDArray output) {
    NDArray copy = JniUtils.clone((PtNDArray) array);
    copy.setName(output.getName());
    array.close();
    if (array != output) {
      output.close();
    }
    return copy;
  }

  /** Whether the result is such that the pass is to be captured; known when it has finished. */
  public boolean isWanted() {
    return wanted;
  }

  /** The finished capture; whoever takes it must discard it. */
  public CapturedPass capture() {
    return capture;
  }

  /** Gives everything back and restores the grad mode; for a pass that is not to be captured. */
  public void abandon() {
    JniUtils.setGradMode(gradModeBefore);
    owner.close();
  }

  private NDArray detachedCopy(NDArray array) {
    try (NDArray view = Tensors.detached(array, owner)) {
      return Tensors.copyOf(view, owner);
    }
  }
}
