package io.camhook.djl.request;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.capture.Admission;
import io.camhook.capture.Recorder;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.Request;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * A request is one call of a predictor or trainer that was drawn. Inside it every forward of the model's root
 * is a pass, and each pass has a strategy:
 *
 *   DirectCapture   the application's own forward is the captured pass
 *   ReplayCapture   the application's forward runs plain; then the root runs once more, for the capture alone
 *   SearchCapture   like a replay, but the application's forward is watched to find what `auto` means
 *
 * A TorchScript model is one native call. If the pass is captured, the instrumented twin of its method runs
 * instead of that call. The first pass of such a model is a replay, to see whether the twin works and whether
 * its outputs equal the plain method's to the bit. So is every pass with hooks inside the model, or with
 * limits.exact.
 */
/** A sampled request on its thread. */
public final class SampledRequest implements Request, PassWatch {
  private final RequestScope scope;
  private final boolean predicting;
  private final Admission admission;
  private @Nullable PassStrategy pass;
  private int passes;

  public SampledRequest(
      ModelPlan plan,
      Block root,
      @Nullable List<?> inputs,
      boolean exact,
      @Nullable Condition when,
      Admission admission,
      Models models,
      Recorder recorder,
      Failures failures,
      EventLog log) {
    List<?> given = inputs == null ? List.of() : inputs;
    this.scope = new RequestScope(plan, root, given, exact, when, models, recorder, failures, log);
    this.predicting = inputs != null;
    this.admission = admission;
    Dispatch.retain();
  }

  @Override
  public boolean endsWithItself() {
    return predicting;
  }

  @Override
  public void close() {
    Dispatch.release();
    admission.close();
    ThreadWork work = ThreadWork.current();
    if (work != null) {
      work.watch = null;
      work.endIfIdle();
    }
    PassStrategy unfinished = pass;
    pass = null;
    if (unfinished != null) {
      unfinished.abandon();
    }
  }

  @Override
  public @Nullable BlockCall enter(Block block, Object[] arguments) {
    if (pass != null) {
      return pass.enter(block);
    }
    return block == scope.root() ? begin(arguments) : null;
  }

  private @Nullable BlockCall begin(Object[] arguments) {
    NDList given = (NDList) arguments[1];
    if (given.isEmpty()
        || !"PyTorch".equals(given.head().getManager().getEngine().getEngineName())) {
      return null;
    }
    int index = passes++;
    try {
      PassStrategy strategy = strategy(arguments, index, Boolean.FALSE.equals(arguments[2]));
      pass = strategy;
      return strategy == null ? null : new RootCall(strategy);
    } catch (Throwable e) {
      scope.lost(e);
      return null;
    }
  }

  /** Null if the pass is not captured. */
  private @Nullable PassStrategy strategy(Object[] arguments, int index, boolean inference) {
    ModelPlan plan = scope.plan();
    if (plan.lookingForSpatial()) {
      return new SearchCapture(
          scope, inference ? new ReplayCapture(scope, arguments, index, false) : null);
    }
    List<ScriptPlan> scripts = plan.scripts();
    boolean hooked = scripts.stream().anyMatch(script -> script.inside().isHooked());
    if (!inference) {
      return new DirectCapture(scope, arguments, index, false, hooked);
    }
    boolean compare = false;
    for (ScriptPlan script : scripts) {
      compare |= script.toBeCompared();
    }
    String state = plan.refusesSecondRun();
    if (state != null && (hooked || scope.exact())) {
      scope
          .failures()
          .mistake(
              "model %s is not captured: it keeps state between requests (%s), and %s would run it twice"
                  .formatted(plan.label(), state, hooked ? "hooks inside it" : "limits.exact"));
      scope.recorder().lost();
      return null;
    }
    return compare || hooked || scope.exact()
        ? new ReplayCapture(scope, arguments, index, compare)
        : new DirectCapture(scope, arguments, index, true, false);
  }

  /** The root's call; its strategy ends with it. */
  private final class RootCall implements BlockCall {
    private final PassStrategy strategy;

    RootCall(PassStrategy strategy) {
      this.strategy = strategy;
    }

    @Override
    public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
      try {
        return strategy.exit(result, thrown);
      } finally {
        pass = null;
      }
    }

    @Override
    public boolean recovered() {
      return strategy.recovered();
    }
  }

  @Override
  public boolean isReplaying() {
    return pass != null && pass.isReplaying();
  }

  @Override
  public @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return pass == null ? null : pass.run(block, inputs, training);
  }

  @Override
  public @Nullable HookedCapture hookedCapture(PtSymbolBlock block) {
    return pass == null ? null : pass.hookedCapture(block);
  }
}
