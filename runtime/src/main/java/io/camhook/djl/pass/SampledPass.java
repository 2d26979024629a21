package io.camhook.djl.pass;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.camhook.capture.ClassScores;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.TensorName;
import io.camhook.torchscript.twin.TapPlan;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A pass that becomes a capture, as configured for its model. Its arrays live in their own manager,
 * which goes to the capture queue with them.
 */
public final class SampledPass {
  private final ModelPlan plan;
  private final NDManager owner;
  private final CapturedPass capture;
  private final ModelPass pass;
  private final @Nullable Condition when;
  private boolean wanted = true;
  private @Nullable EngineException gradientFailure;

  /**
   * Begins a pass and sets this thread's grad mode for its prefix; {@link #finish} or {@link
   * #abandon} restores it.
   *
   * @param inference whether no one else needs this pass's graph
   * @param when the condition that its result must meet to be captured; null captures any
   */
  public SampledPass(ModelPlan plan, NDList inputs, boolean inference, @Nullable Condition when) {
    this.plan = plan;
    this.when = when;
    this.owner = Engine.getEngine("PyTorch").newBaseManager(inputs.head().getDevice());
    owner.setName("camhook capture");
    this.capture = new CapturedPass(plan.label(), Instant.now(), owner, plan::unrecordable);
    this.pass = pass(inference);
    try {
      if (plan.captures(CaptureKind.INPUT)) {
        for (int i = 0; i < inputs.size(); i++) {
          capture.add(TensorName.input(i), pass.detachedCopy(inputs.get(i)));
        }
      }
    } catch (Throwable e) {
      abandon();
      throw e;
    }
  }

  private ModelPass pass(boolean inference) {
    ScriptPlan script = plan.script();
    TapPlan taps = script == null ? null : script.taps();
    boolean gradient = plan.wantsGradient() && !plan.isOpaque();
    return script == null || taps == null
        ? new BlockPass(owner, gradient, inference, plan::inner)
        : ScriptPass.inRequest(owner, gradient, inference, taps, oneCall(script));
  }

  /** With a condition, the gradients would come before the decision. */
  private ScriptPass.@Nullable OneCall oneCall(ScriptPlan script) {
    Integer target = plan.onlyClass();
    return when != null || !script.isOneCall() || target == null
        ? null
        : new ScriptPass.OneCall(target, script::inTwoCalls);
  }

  /** The pass itself. */
  public ModelPass pass() {
    return pass;
  }

  /** The manager of what is captured; arrays made in it live as long as the capture. */
  public NDManager owner() {
    return owner;
  }

  /** Adds the picture, made in {@link #owner}. */
  public void image(NDArray image) {
    capture.add(TensorName.IMAGE, image);
  }

  /** Why the engine gave no gradients; null if it did, or was not asked. */
  @Nullable
  public EngineException gradientFailure() {
    return gradientFailure;
  }

  /**
   * Called when the model has returned.
   *
   * @return the result for the application, with the same values
   */
  public NDList finish(NDList outputs) {
    try (pass) {
      plan.blocked(pass.blocked());
      GradientPass inOneCall = pass.inOneCall();
      if (inOneCall != null) {
        addDifferentiated(inOneCall);
        addActivations();
        return outputs;
      }
      if (plan.captures(CaptureKind.OUTPUT)) {
        List<NDArray> ordered = Scores.inOrder(outputs, plan.scored().output());
        for (int i = 0; i < ordered.size(); i++) {
          capture.add(TensorName.output(i), pass.detachedCopy(ordered.get(i)));
        }
      }
      try (NDManager scratch = owner.newSubManager()) {
        Scores scores = Scores.of(outputs, plan.scored(), scratch);
        wanted = when == null;
        if (scores != null) {
          List<List<Prediction>> predictions = scores.classes().predictions(plan.classNames());
          capture.predictions(predictions);
          wanted = when == null || Prediction.anyMeets(predictions, when::holds);
          if (pass.wantsGradients() && wanted) {
            differentiateIfPossible(scores, scratch);
          }
        }
      }
      addActivations();
      return pass.applicationOutputs(outputs);
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
        capture.add(TensorName.gradient(0, ModelPass.layer(run.labels().get(i))), gradientOfLayer);
      }
    }
    if (!run.classes().isEmpty()
        && run.gradients().stream().allMatch(Objects::isNull)
        && !pass.blocked().containsAll(pass.recorded().keySet())) {
      plan.lacksGraph();
    }
    if (run.classifierRows() != null) {
      capture.add(TensorName.CLASSIFIER_WEIGHT, run.classifierRows());
    }
    capture.scores(run.scores(), run.explained(), plan.classNames());
  }

  private void differentiate(Scores scores, NDManager scratch) {
    List<LayerOutput> layers = pass.differentiable();
    if (layers.isEmpty() || !Tensors.requiresGrad(scores.logits())) {
      if (!pass.blocked().containsAll(pass.recorded().keySet())) {
        plan.lacksGraph();
      }
      return;
    }
    List<Target> targets = scores.classes().targets(plan.target(), plan.classNames());
    int rounds = targets.stream().mapToInt(Target::n).max().orElse(-1) + 1;
    for (int n = 0; n < rounds; n++) {
      NDArray seed = scores.seed(targets, n, scratch);
      int round = n;
      pass.gradients(scores.logits(), seed, layers, n + 1 < rounds)
          .forEach((layer, gradient) -> capture.add(TensorName.gradient(round, layer), gradient));
    }
    capture.targets(targets);
    NDArray first = Objects.requireNonNull(pass.recorded().get(layers.get(0)));
    NDArray weights = plan.classifierRows(first, targets, owner);
    if (weights != null) {
      capture.add(TensorName.CLASSIFIER_WEIGHT, weights);
    }
  }

  private void addActivations() {
    for (Map.Entry<LayerOutput, NDArray> layer : pass.taken().entrySet()) {
      if (plan.captures(CaptureKind.ACTIVATION)) {
        capture.add(TensorName.activation(layer.getKey()), layer.getValue());
      } else {
        layer.getValue().close();
      }
    }
  }

  /** Whether the result meets the condition for capturing; known after the pass. */
  public boolean isWanted() {
    return wanted;
  }

  /** The finished capture; the caller must discard it. */
  public CapturedPass capture() {
    return capture;
  }

  /** Frees everything and restores the grad mode; for a pass that is not captured. */
  public void abandon() {
    pass.close();
    owner.close();
  }
}
