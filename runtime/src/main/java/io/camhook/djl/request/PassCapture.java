package io.camhook.djl.request;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.InnerArchive;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.ModelPass;
import io.camhook.djl.pass.OpenBlocks;
import io.camhook.djl.pass.SampledPass;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Captures one pass of the root, no matter who runs it. If camhook fails, the pass continues
 * uncaptured.
 */
final class PassCapture {
  private final RequestScope scope;
  private final OpenBlocks open = new OpenBlocks(this::returned);
  private final ModelPass model;
  private @Nullable SampledPass pass;
  private @Nullable Throwable twinFailure;
  private @Nullable ScriptPlan failedTwin;
  private boolean captured;

  PassCapture(RequestScope scope, NDList given, int index, boolean inference) {
    this.scope = scope;
    SampledPass begun = scope.pass(given, index, inference);
    this.pass = begun;
    this.model = begun.pass();
    open.enter(scope.root());
  }

  /** The pass as the model sees it, even if it is lost or has ended. */
  ModelPass model() {
    return model;
  }

  /** Whether the pass is still to be captured. */
  boolean isUnderWay() {
    return pass != null;
  }

  @Nullable BlockCall enter(Block block) {
    return pass == null || scope.plan().layer(block) == null ? null : open.enter(block);
  }

  /** The root, too, is a block that may be recorded. */
  NDList returned(Block block, NDList outputs) {
    SampledPass now = pass;
    String path = scope.plan().layer(block);
    if (now == null || path == null) {
      return outputs;
    }
    try {
      return model.returned(path, outputs);
    } catch (Throwable e) {
      failed(e);
      return outputs;
    }
  }

  /** Runs the method with taps in place of the model's own; null if the model must run itself. */
  @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    SampledPass now = pass;
    InnerArchive inner = scope.plan().inner(block);
    ScriptPlan script =
        block == scope.root() ? scope.plan().script() : inner == null ? null : inner.script();
    if (now == null || script == null || ModuleCalls.namesMethod(inputs)) {
      return null;
    }
    if (inner == null && script.taps() == null) {
      return null;
    }
    if (inner == null
        && model.isInCallersGraph()
        && inputs.stream().anyMatch(Tensors::requiresGrad)) {
      scope
          .failures()
          .mistake(
              "model %s: training steps whose input requires a gradient are captured without its layers: the input would lose that gradient"
                  .formatted(scope.plan().label()));
      return null;
    }
    try {
      return model.run(block, inputs, training);
    } catch (Throwable e) {
      twinFailure = e;
      failedTwin = script;
      pass = null;
      now.abandon();
      return null;
    }
  }

  /** The capture of a pass in which hooks inside an archive look; null if it is not captured. */
  @Nullable HookedCapture hooked(PtSymbolBlock block) {
    if (block == scope.root()) {
      Set<String> paths = Set.copyOf(scope.plan().layers());
      return new HookedCapture(model, path -> paths.contains(path) ? path : null, this::failed);
    }
    InnerArchive inner = scope.plan().inner(block);
    return inner == null || !inner.isRecorded()
        ? null
        : new HookedCapture(model, inner::recorded, this::failed);
  }

  /**
   * Called when the root has returned and the pass has ended.
   *
   * @return the result for the application
   */
  NDList finish(NDList returned) {
    long begin = System.nanoTime();
    NDList outputs = returned(scope.root(), returned);
    SampledPass done = pass;
    if (done == null) { // lost during the pass
      if (twinFailure != null && failedTwin != null) {
        scope.twinFailed(failedTwin, twinFailure, model.wantsGradients());
      }
      return model.applicationOutputs(returned);
    }
    NDList forApplication;
    try {
      forApplication = done.finish(outputs);
      pass = null;
      submit(done);
    } catch (Throwable e) {
      failed(e);
      return model.applicationOutputs(returned);
    }
    scope.recorder().took(System.nanoTime() - begin);
    scope.worked();
    captured = true;
    return forApplication;
  }

  private void submit(SampledPass done) {
    if (done.gradientFailure() != null) {
      scope.giveUpGradients("the engine cannot differentiate it", done.gradientFailure());
    }
    if (done.isWanted()) {
      scope.recorder().submit(done.capture());
    } else {
      done.abandon();
      scope.recorder().skipped();
    }
  }

  /** Whether the pass has ended and was not lost. */
  boolean isCaptured() {
    return captured;
  }

  private void failed(Throwable cause) {
    scope.lost(cause);
    SampledPass broken = pass;
    pass = null;
    if (broken != null) {
      try {
        broken.abandon();
      } catch (Throwable e) {
        scope.failures().add("a failed pass could not be cleaned up", e);
      }
    }
  }

  /** Frees everything; a pass that has ended holds nothing. */
  void abandon() {
    SampledPass unfinished = pass;
    pass = null;
    if (unfinished != null) {
      unfinished.abandon();
    }
  }
}
