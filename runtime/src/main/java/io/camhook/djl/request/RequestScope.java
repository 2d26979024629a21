package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.camhook.capture.NoSuchTargetException;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.djl.pass.SampledPass;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Immutable data shared by the strategies of one request.
 *
 * @param inputs the predictor's inputs; empty in training
 * @param exact whether the application's own forward must stay plain
 * @param when the condition that a result must meet to be captured; null captures any
 */
record RequestScope(
    ModelPlan plan,
    Block root,
    List<?> inputs,
    boolean exact,
    @Nullable Condition when,
    Models models,
    Recorder recorder,
    Failures failures,
    EventLog log) {

  /**
   * Begins a pass of the model.
   *
   * @param index of the pass in its request
   */
  SampledPass pass(NDList given, int index, boolean inference) {
    SampledPass made = new SampledPass(plan, given, inference, when);
    try {
      if (plan.captures(CaptureKind.IMAGE)) {
        boolean wholeBatch = given.head().getShape().dimension() > 0 && index == 0;
        List<?> pictures =
            wholeBatch && given.head().getShape().get(0) == inputs.size()
                ? inputs
                : index < inputs.size() ? List.of(inputs.get(index)) : List.of();
        NDArray image = Pictures.of(pictures, made.owner());
        if (image != null) {
          made.image(image);
        }
      }
      return made;
    } catch (Throwable e) {
      made.abandon();
      throw e;
    }
  }

  /** Runs the root in the same way as the application's call. */
  NDList forward(NDList given, Object[] arguments) {
    @SuppressWarnings("unchecked")
    PairList<String, Object> params = (PairList<String, Object>) arguments[3];
    return root.forward((ParameterStore) arguments[0], given, false, params);
  }

  /** A pass is lost. */
  void lost(Throwable cause) {
    recorder.lost(cause);
    if (cause instanceof NoSuchTargetException) {
      failures.mistake("model %s is not captured: %s".formatted(plan.label(), cause.getMessage()));
    } else {
      failures.add(lostPass(), cause);
    }
  }

  /** A pass was captured. */
  void worked() {
    failures.worked(lostPass());
  }

  private String lostPass() {
    return "a pass of model " + plan.label() + " could not be captured";
  }

  void giveUpGradients(String why, Throwable cause) {
    if (plan.giveUpGradients()) {
      String note = "is captured without gradients from now on: " + why;
      failures.report("model %s %s".formatted(plan.label(), note), cause);
      models.note(plan, note);
    }
  }

  /** The method with taps has failed, and the plain one works. */
  void twinFailed(ScriptPlan script, Throwable cause, boolean withGradients) {
    recorder.lost();
    if (withGradients) {
      giveUpGradients("it fails when its activations require gradients", cause);
    } else if (script.fail()) {
      failures.report(
          "model %s fails with its taps but not without them; its requests run unchanged, and its captures hold only inputs and outputs"
              .formatted(plan.label()),
          cause);
    }
  }
}
