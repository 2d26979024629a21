package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.camhook.capture.Admission;
import io.camhook.capture.NoSuchTargetException;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.Request;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.SampledPass;
import io.camhook.djl.pass.ThreadWork;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * A request is one call of a predictor or trainer that was drawn. Inside it every forward of the model's
 * root is a pass. Three ways to capture one:
 *
 *   direct   the application's own forward is the captured pass
 *   replay   the application's forward runs plain; then the root runs once more, for the capture alone
 *            (limits.exact)
 *   search   as replay, and the application's forward is watched to find what `auto` means
 *
 * A TorchScript model is one native call. Where the pass is captured, the instrumented twin of its method
 * runs in the place of that call. The first pass of such a model is always a replay, to see whether the twin
 * works and whether its outputs are the plain method's to the bit.
 *
 * Only passes in inference mode are replayed, because they change no state. A direct pass in inference mode
 * that fails after the cut is run again plain, so that a model which cannot bear autograd loses its captures
 * and not its answers.
 */
/** A sampled request on its thread. */
public final class SampledRequest implements Request, PassWatch {
  private record TwinFailure(Throwable cause, boolean withGradients) {}

  private final ModelPlan plan;
  private final Block root;
  private final List<?> inputs;
  private final boolean predicting;
  private final boolean exact;
  private final @Nullable Condition when;
  private final Admission admission;
  private final Models models;
  private final Recorder recorder;
  private final Failures failures;
  private final EventLog log;
  private final List<Block> open = new ArrayList<>();
  private @Nullable SampledPass pass;
  private @Nullable SpatialSearch search;
  private @Nullable TwinFailure twinFailure;
  private boolean quiet;
  private boolean hookedPass;
  private boolean replaying;
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
    this.plan = plan;
    this.root = root;
    this.inputs = inputs == null ? List.of() : inputs;
    this.predicting = inputs != null;
    this.exact = exact;
    this.when = when;
    this.admission = admission;
    this.models = models;
    this.recorder = recorder;
    this.failures = failures;
    this.log = log;
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
    if (pass != null) {
      SampledPass unfinished = pass;
      pass = null;
      unfinished.abandon();
    }
  }

  @Override
  public @Nullable BlockCall enter(Block block, Object[] arguments) {
    if (quiet) {
      return null;
    }
    if (pass == null && search == null) {
      return block == root ? begin(arguments) : null;
    }
    if (search == null && plan.layer(block) == null || isOpen(block)) {
      return null;
    }
    open.add(block);
    return new LayerCall(block);
  }

  /** A block that calls its own forward again (super.forward) is one call. */
  private boolean isOpen(Block block) {
    for (Block other : open) {
      if (other == block) {
        return true;
      }
    }
    return false;
  }

  private @Nullable BlockCall begin(Object[] arguments) {
    NDList given = (NDList) arguments[1];
    boolean inference = Boolean.FALSE.equals(arguments[2]);
    if (given.isEmpty()
        || !"PyTorch".equals(given.head().getManager().getEngine().getEngineName())) {
      return null;
    }
    int index = passes++;
    try {
      if (plan.lookingForSpatial()) {
        search = new SpatialSearch();
        open.add(root);
        return new ReplayCall(arguments, index, inference, false);
      }
      ScriptPlan script = plan.script();
      boolean hooked = script != null && script.inside().isHooked();
      hookedPass = hooked && !inference;
      boolean compare = inference && script != null && script.toBeCompared();
      String state = plan.refusesSecondRun();
      if (inference && state != null && (hooked || exact)) {
        failures.mistake(
            "model %s is not captured: it keeps state between requests (%s), and %s would run it twice"
                .formatted(plan.label(), state, hooked ? "hooks inside it" : "limits.exact"));
        recorder.lost();
        return null;
      }
      if (inference && (compare || hooked || exact)) {
        quiet = true;
        return new ReplayCall(arguments, index, true, compare);
      }
      pass = newPass(given, index, inference);
      open.add(root);
      return new DirectCall(arguments, inference);
    } catch (Throwable e) {
      failed(e);
      return null;
    }
  }

  private SampledPass newPass(NDList given, int index, boolean inference) {
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

  private String lostPass() {
    return "a pass of model " + plan.label() + " could not be captured";
  }

  private void failed(Throwable cause) {
    recorder.lost(cause);
    if (cause instanceof NoSuchTargetException) {
      failures.mistake("model %s is not captured: %s".formatted(plan.label(), cause.getMessage()));
    } else {
      failures.add(lostPass(), cause);
    }
    SampledPass broken = pass;
    pass = null;
    if (broken != null) {
      try {
        broken.abandon();
      } catch (Throwable e) {
        failures.add("a failed pass could not be cleaned up", e);
      }
    }
  }

  @Override
  public boolean isReplaying() {
    return replaying;
  }

  @Override
  public @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    SampledPass now = pass;
    ScriptPlan script = plan.script();
    TapPlan taps = script == null ? null : script.taps();
    boolean other = block != root || ModuleCalls.namesMethod(inputs);
    if (quiet || now == null || taps == null || other || (hookedPass && !replaying)) {
      return null;
    }
    if (now.isInCallersGraph() && inputs.stream().anyMatch(Tensors::requiresGrad)) {
      failures.mistake(
          "model %s: training steps whose input requires a gradient are captured without its layers: the input would lose that gradient"
              .formatted(plan.label()));
      return null;
    }
    try {
      return now.script(block, taps, inputs, training);
    } catch (Throwable e) {
      twinFailure = new TwinFailure(e, now.wantsGradient());
      pass = null;
      now.abandon();
      return null;
    }
  }

  @Override
  public @Nullable HookedCapture hookedCapture(PtSymbolBlock block) {
    SampledPass now = pass;
    return now == null || !hookedPass || block != root
        ? null
        : new HookedCapture(now, Set.copyOf(plan.layers()), this::failed);
  }

  /** The plain pass works where the one with taps has failed. */
  private void twinFailed(TwinFailure failure) {
    ScriptPlan script = plan.script();
    if (failure.withGradients()) {
      giveUpGradients("it fails when its activations require gradients", failure.cause());
    } else if (script != null && script.fail()) {
      failures.report(
          "model %s fails with its taps and not without; its requests run as they are, and its captures hold what goes in and out"
              .formatted(plan.label()),
          failure.cause());
    }
  }

  private void giveUpGradients(String why, Throwable cause) {
    if (plan.giveUpGradients()) {
      String note = "is captured without gradients from now on: " + why;
      failures.report("model %s %s".formatted(plan.label(), note), cause);
      models.note(plan, note);
    }
  }

  /** A hooked layer, or any block during a search. */
  private final class LayerCall implements BlockCall {
    private final Block block;

    LayerCall(Block block) {
      this.block = block;
    }

    @Override
    public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
      open.remove(open.size() - 1);
      if (thrown != null || !(result instanceof NDList outputs)) {
        return result;
      }
      try {
        return layerReturned(block, outputs);
      } catch (Throwable e) {
        failed(e);
        return result;
      }
    }
  }

  private NDList layerReturned(Block block, NDList outputs) {
    if (search != null) {
      search.returned(block, outputs);
      return outputs;
    }
    String path = plan.layer(block);
    return pass == null || path == null ? outputs : pass.layer(path, outputs);
  }

  /** The root, where the application's own forward is captured. */
  private final class DirectCall implements BlockCall {
    private final Object[] arguments;
    private final boolean inference;
    private boolean recovered;

    DirectCall(Object[] arguments, boolean inference) {
      this.arguments = arguments.clone();
      this.inference = inference;
    }

    @Override
    public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
      open.clear();
      SampledPass done = pass;
      if (done == null) { // failed on the way
        if (twinFailure != null && thrown == null) {
          twinFailed(twinFailure);
        }
        return result;
      }
      if (thrown == null && result instanceof NDList outputs) {
        try {
          return finish(done, layerReturned(root, outputs));
        } catch (Throwable e) {
          failed(e);
          return done.applicationOutputs(outputs);
        }
      }
      pass = null;
      boolean cut = done.cut();
      done.abandon();
      return thrown != null && cut && inference ? runPlain(thrown) : result;
    }

    private @Nullable Object runPlain(Throwable thrown) {
      quiet = true;
      try {
        Object result = forward((NDList) arguments[1], arguments);
        recovered = true;
        giveUpGradients("it fails when its activations require gradients", thrown);
        return result;
      } catch (Throwable e) {
        return null; // it fails without us too: the application gets what it threw at first
      } finally {
        quiet = false;
      }
    }

    @Override
    public boolean recovered() {
      return recovered;
    }
  }

  private NDList finish(SampledPass done, NDList outputs) {
    long begin = System.nanoTime();
    if (hookedPass && done.wantsGradient() && done.lacksGraph()) {
      plan.lacksGraph();
    }
    NDList forApplication = done.finish(outputs);
    pass = null;
    if (done.gradientFailure() != null) {
      giveUpGradients("the engine cannot differentiate it", done.gradientFailure());
    }
    if (done.isWanted()) {
      recorder.submit(done.capture());
    } else {
      done.abandon();
      recorder.skipped();
    }
    recorder.took(System.nanoTime() - begin);
    failures.worked(lostPass());
    return forApplication;
  }

  private BlockTree.@Nullable Module moduleOf(@Nullable Block block) {
    for (BlockTree.Module module : BlockTree.of(root)) {
      if (module.block() == block) {
        return module;
      }
    }
    return null;
  }

  private NDList forward(NDList given, Object[] arguments) {
    @SuppressWarnings("unchecked")
    PairList<String, Object> params = (PairList<String, Object>) arguments[3];
    return root.forward((ParameterStore) arguments[0], given, false, params);
  }

  private void compare(NDList plain, NDList captured) {
    boolean same = plain.size() == captured.size();
    for (int i = 0; same && i < plain.size(); i++) {
      same = Tensors.toTensor(plain.get(i)).data().equals(Tensors.toTensor(captured.get(i)).data());
    }
    if (!same) {
      String note =
          "with gradients on, the engine computes the outputs of this model with other kernels, and"
              + " they differ in the last bits; limits.exact: true gives the application those of"
              + " the plain method";
      log.info("model %s: %s".formatted(plan.label(), note));
      models.note(plan, note);
    }
  }

  /** The root, where the application's forward stays plain and another one is captured. */
  private final class ReplayCall implements BlockCall {
    private final Object[] arguments;
    private final int index;
    private final boolean inference;
    private final boolean compare;
    private final NDManager scratch;
    private final NDList given;

    ReplayCall(Object[] arguments, int index, boolean inference, boolean compare) {
      this.compare = compare;
      this.arguments = arguments.clone();
      this.index = index;
      this.inference = inference;
      NDList original = (NDList) arguments[1];
      this.scratch = original.head().getManager().getEngine().newBaseManager();
      this.given = new NDList();
      for (NDArray array : original) {
        NDArray copy = Tensors.copyOf(array, scratch);
        copy.setName(array.getName());
        given.add(copy);
      }
    }

    @Override
    public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
      open.clear();
      quiet = false;
      try (scratch) {
        SpatialSearch watched = search;
        search = null;
        if (thrown == null) {
          if (watched != null) {
            plan.foundSpatial(moduleOf(watched.found()), log);
          }
          if (inference) {
            NDList again = replay();
            if (compare && again != null && result instanceof NDList plain) {
              compare(plain, again);
            }
          }
        }
      } catch (Throwable e) {
        failed(e);
      }
      return result;
    }

    /** Null if the pass could not be captured. */
    private @Nullable NDList replay() {
      SampledPass again = newPass(given, index, true);
      pass = again;
      replaying = true;
      open.add(root);
      try {
        NDList outputs = forward(given, arguments);
        if (twinFailure != null) {
          twinFailed(twinFailure);
          return null;
        }
        return finish(again, layerReturned(root, outputs));
      } finally {
        replaying = false;
        open.clear();
      }
    }
  }
}
