package io.camhook.djl.hooks;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.util.PairList;
import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.HookTypes;
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.ModuleBackward;
import io.camhook.djl.model.InnerModule;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Runs the hooks for one call of a module inside a TorchScript model: either while the model waits
 * for them, or after the native call that contained it. In the first case the model continues with
 * the values returned by hooks that are registered to replace ({@link HookEntry#replaces}); a value
 * returned by any other hook is rejected.
 */
final class ScriptHookCall {
  private final InnerModule module;
  private final boolean waits;
  private final List<Boolean> gradients = new ArrayList<>();
  private final @Nullable ModuleBackward backward;
  private NDList inputs = new NDList();

  /**
   * @param points where the call's backward hooks wait; null if the pass makes no graph
   * @param waits whether the model waits for the hooks
   */
  ScriptHookCall(InnerModule module, @Nullable GradPoints points, boolean waits) {
    this.module = module;
    this.waits = waits;
    this.backward =
        points == null
            ? null
            : ModuleBackward.of(
                module,
                module.path(),
                points,
                List.of(HookTable.of(module, HookKind.BACKWARD_PRE)),
                List.of(HookTable.of(module, HookKind.BACKWARD)));
  }

  /**
   * Adds what an argument holds.
   *
   * @param gradient whether its gradient through this call can be determined
   */
  void argument(NDList tensors, boolean gradient) {
    inputs.addAll(tensors);
    tensors.forEach(tensor -> gradients.add(gradient));
  }

  /**
   * The arguments are complete.
   *
   * @return the inputs for the module; null to keep the current ones
   */
  @Nullable NDList begins() {
    NDList given = inputs;
    for (HookEntry entry : HookTable.of(module, HookKind.FORWARD_PRE)) {
      NDList replaced = callPre(entry);
      if (replaced != null) {
        inputs = new NDList(replaced);
      }
    }
    if (backward != null) {
      backward.observeInputs(inputs, gradients);
    }
    return inputs == given ? null : inputs;
  }

  private @Nullable NDList callPre(HookEntry entry) {
    try {
      NDList replaced = beforeForward(entry);
      if (replaced != null) {
        require(entry, replaced, inputs.size(), "forward pre hook", "inputs");
      }
      return replaced;
    } catch (RuntimeException e) {
      throw UserFailure.of(HookTypes.named(e, entry, "forward pre hook", module.path()));
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  @SuppressWarnings("unchecked")
  private @Nullable NDList beforeForward(HookEntry entry) {
    if (entry.hook() instanceof ForwardPreHookWithParams<?, ?, ?> hook) {
      ForwardPreHookWithParams.Call<NDList, PairList<String, Object>> replaced =
          ((ForwardPreHookWithParams<Block, NDList, PairList<String, Object>>) hook)
              .beforeForward(module, module.path(), new NDList(inputs), null);
      return replaced == null ? null : replaced.inputs();
    }
    return ((ForwardPreHook<Block, NDList>) entry.hook())
        .beforeForward(module, module.path(), new NDList(inputs));
  }

  /**
   * The module has returned.
   *
   * @return the values to continue with; null to keep {@code outputs}
   */
  @Nullable NDList returned(NDList outputs) {
    NDList seen = outputs;
    List<HookEntry> called = new ArrayList<>();
    try {
      for (HookEntry entry : HookTable.of(module, HookKind.FORWARD)) {
        called.add(entry);
        NDList replaced;
        try {
          replaced = call(entry, seen);
        } catch (RuntimeException e) {
          throw HookTypes.named(e, entry, "forward hook", module.path());
        }
        if (replaced != null) {
          require(entry, replaced, outputs.size(), "forward hook", "outputs");
          seen = new NDList(replaced);
        }
      }
    } catch (Throwable e) {
      UserFailure.mark(e);
      runAlwaysCalled(called, seen, e);
      throw e;
    }
    if (backward != null) {
      backward.observeOutputs(seen);
    }
    return seen == outputs ? null : seen;
  }

  @SuppressWarnings("unchecked")
  private @Nullable NDList call(HookEntry entry, NDList outputs) {
    return entry.hook() instanceof ForwardHookWithParams<?, ?, ?> hook
        ? ((ForwardHookWithParams<Block, NDList, PairList<String, Object>>) hook)
            .afterForward(module, module.path(), new NDList(inputs), null, new NDList(outputs))
        : ((ForwardHook<Block, NDList>) entry.hook())
            .afterForward(module, module.path(), new NDList(inputs), new NDList(outputs));
  }

  private void runAlwaysCalled(List<HookEntry> called, NDList outputs, Throwable failure) {
    for (HookEntry entry : HookTable.of(module, HookKind.FORWARD)) {
      if (entry.alwaysCall() && !called.contains(entry)) {
        try {
          call(entry, outputs);
        } catch (Throwable e) {
          failure.addSuppressed(e);
        }
      }
    }
  }

  private void require(HookEntry entry, NDList replaced, int expected, String kind, String what) {
    if (!waits || !entry.replaces()) {
      throw new IllegalStateException(
          "layer %s: its %s returned %s, but the layer is inside a TorchScript model, where hooks only look by default: return null, or register the hook with HookOptions.replacing() (replace: true in camhook.yaml)"
              .formatted(module, kind, what));
    }
    if (replaced.size() != expected || replaced.stream().anyMatch(Objects::isNull)) {
      throw new IllegalStateException(
          "layer %s: its %s returned %d arrays, expected %d, one for each tensor of its %s"
              .formatted(
                  module,
                  kind,
                  replaced.stream().filter(Objects::nonNull).count(),
                  expected,
                  what));
    }
  }
}
