package io.camhook.djl.hooks;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.util.PairList;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookMoment;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.HookTypes;
import io.camhook.dispatch.ModuleHooks;
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.ModuleBackward;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * The order is that of torch.nn.Module._call_impl: the backward hooks are listed first, because those
 * registered at the time of the call count; then pre hooks; then the cut after the inputs; the module; forward
 * hooks; then the cut after the outputs. If anything throws, the always-called forward hooks that have not run
 * in this call run with the outputs so far. What they return or throw is dropped, and the exception
 * propagates.
 */
/** One forward of a block that has hooks. Confined to its thread. */
public final class HookedCall implements BlockCall {
  private static final int INPUTS = 1;
  private static final int PARAMS = 3;
  private static final HookEntry[] NONE = {};

  private final ThreadWork work;
  private final Block block;
  private final String path;
  private final @Nullable BlockCall capture;
  private @Nullable ModuleHooks own;
  private @Nullable List<HookEntry> alwaysCalled;
  private @Nullable ModuleBackward backward;
  private NDList inputs;
  private @Nullable PairList<String, Object> params;

  private HookedCall(
      ThreadWork work,
      Block block,
      @Nullable ModuleHooks own,
      Object[] arguments,
      @Nullable BlockCall capture) {
    this.work = work;
    this.block = block;
    this.own = own;
    this.capture = capture;
    this.path = BlockPaths.of(work.root(), block);
    this.inputs = (NDList) arguments[INPUTS];
    this.params = params(arguments[PARAMS]);
  }

  @SuppressWarnings("unchecked")
  private static @Nullable PairList<String, Object> params(@Nullable Object argument) {
    return (PairList<String, Object>) argument;
  }

  /**
   * Runs what comes before the module.
   *
   * @param own the block's own hooks, null if there are only global ones
   * @param capture a capture's interest in the same call
   */
  public static HookedCall begin(
      ThreadWork work,
      Block block,
      @Nullable ModuleHooks own,
      Object[] arguments,
      @Nullable BlockCall capture,
      GradPoints points) {
    HookedCall call = new HookedCall(work, block, own, arguments, capture);
    try {
      call.before(points);
    } catch (Throwable e) {
      call.runAlwaysCalled(null, e);
      call.close(null, e);
      throw e;
    }
    arguments[INPUTS] = call.inputs;
    arguments[PARAMS] = call.params;
    return call;
  }

  private void before(GradPoints points) {
    PassWatch watch = work.watch;
    if (watch == null || !watch.endsWithItself()) {
      backward =
          ModuleBackward.of(
              block,
              path,
              points,
              concerning(HookMoment.BEFORE_BACKWARD),
              concerning(HookMoment.AFTER_BACKWARD));
    }
    for (HookEntry entry : HookTable.global(HookMoment.BEFORE_FORWARD)) {
      runPre(entry);
    }
    for (HookEntry entry : own(HookMoment.BEFORE_FORWARD)) {
      runPre(entry);
    }
    if (backward != null) {
      inputs = backward.cutInputs(inputs);
    }
  }

  /** The block's own hooks of a moment as they are now. */
  private HookEntry[] own(HookMoment moment) {
    if (own == null || own.isForgotten()) {
      own = HookTable.of(block);
    }
    return own == null ? NONE : own.of(moment);
  }

  /** Global and own hooks of a moment that are for this block. */
  private List<HookEntry> concerning(HookMoment moment) {
    HookEntry[] global = HookTable.global(moment);
    HookEntry[] ofBlock = own(moment);
    if (global.length + ofBlock.length == 0) {
      return List.of();
    }
    return Stream.concat(Stream.of(global), Stream.of(ofBlock))
        .filter(entry -> entry.concerns(block))
        .toList();
  }

  private void runPre(HookEntry entry) {
    if (!entry.concerns(block)) {
      return;
    }
    try {
      callPre(entry);
    } catch (RuntimeException e) {
      throw UserFailure.of(HookTypes.named(e, entry, path));
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private void callPre(HookEntry entry) {
    HookArguments shown = HookArguments.forward(block, path, new NDList(inputs), params, null);
    NDList replaced = (NDList) entry.call(shown);
    if (replaced != null) {
      inputs = replaced;
      params = params(shown.params());
    }
  }

  @Override
  public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    if (thrown != null) {
      runAlwaysCalled(null, thrown);
      return close(result, thrown);
    }
    NDList outputs = (NDList) result;
    try {
      for (HookEntry entry : HookTable.global(HookMoment.AFTER_FORWARD)) {
        outputs = runForward(entry, outputs);
      }
      for (HookEntry entry : own(HookMoment.AFTER_FORWARD)) {
        outputs = runForward(entry, outputs);
      }
      if (backward != null && outputs != null) {
        outputs = backward.cutOutputs(outputs);
      }
    } catch (Throwable e) {
      runAlwaysCalled(outputs, e);
      close(null, e);
      throw e;
    }
    return close(outputs, null);
  }

  private @Nullable NDList runForward(HookEntry entry, @Nullable NDList outputs) {
    if (!entry.concerns(block)) {
      return outputs;
    }
    if (entry.alwaysCall()) {
      if (alwaysCalled == null) {
        alwaysCalled = new ArrayList<>(1);
      }
      alwaysCalled.add(entry);
    }
    try {
      NDList replaced = call(entry, outputs);
      return replaced == null ? outputs : replaced;
    } catch (RuntimeException e) {
      throw UserFailure.of(HookTypes.named(e, entry, path));
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private @Nullable NDList call(HookEntry entry, @Nullable NDList outputs) {
    return (NDList)
        entry.call(
            HookArguments.forward(block, path, new NDList(inputs), params, ownList(outputs)));
  }

  /** The list passed to a hook: the hook may change it, and only its return value counts. */
  private static @Nullable NDList ownList(@Nullable NDList arrays) {
    return arrays == null ? null : new NDList(arrays);
  }

  private void runAlwaysCalled(@Nullable NDList outputs, Throwable failure) {
    NDList seen = outputs;
    for (HookEntry[] entries :
        List.of(HookTable.global(HookMoment.AFTER_FORWARD), own(HookMoment.AFTER_FORWARD))) {
      for (HookEntry entry : entries) {
        if (entry.alwaysCall() && entry.concerns(block) && !wasCalled(entry)) {
          seen = callQuietly(entry, seen, failure);
        }
      }
    }
  }

  private boolean wasCalled(HookEntry entry) {
    return alwaysCalled != null && alwaysCalled.contains(entry);
  }

  private @Nullable NDList callQuietly(
      HookEntry entry, @Nullable NDList outputs, Throwable failure) {
    try {
      NDList replaced = call(entry, outputs);
      return replaced == null ? outputs : replaced;
    } catch (Throwable e) {
      if (e != failure) {
        failure.addSuppressed(e);
      }
      return outputs;
    }
  }

  /** Ends the call, also for the capture, which sees the caller's result. */
  private @Nullable Object close(@Nullable Object result, @Nullable Throwable thrown) {
    try {
      return capture == null ? result : capture.exit(result, thrown);
    } finally {
      work.pop();
    }
  }

  @Override
  public boolean recovered() {
    return capture != null && capture.recovered();
  }
}
