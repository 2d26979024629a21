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
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.ModuleBackward;
import io.camhook.djl.model.InnerModule;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One call of a module inside a TorchScript model, told to its hooks when the native call that it
 * was a part of is over. Hooks look; what they return is refused.
 */
final class ScriptHookCall {
  private final InnerModule module;
  private final NDList inputs = new NDList();
  private final List<Boolean> gradients = new ArrayList<>();
  private final @Nullable ModuleBackward backward;

  /**
   * @param points where the call's backward hooks wait; null if the pass makes no graph
   */
  ScriptHookCall(InnerModule module, @Nullable GradPoints points) {
    this.module = module;
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
   * @param gradient whether its gradient through this call can be told
   */
  void argument(NDList tensors, boolean gradient) {
    inputs.addAll(tensors);
    tensors.forEach(tensor -> gradients.add(gradient));
  }

  /** The arguments are complete. */
  void begins() {
    for (HookEntry entry : HookTable.of(module, HookKind.FORWARD_PRE)) {
      runPre(entry);
    }
    if (backward != null) {
      backward.observeInputs(inputs, gradients);
    }
  }

  private void runPre(HookEntry entry) {
    try {
      refuse(callPre(entry), "forward pre hook", "inputs");
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  @SuppressWarnings("unchecked")
  private @Nullable Object callPre(HookEntry entry) {
    return entry.hook() instanceof ForwardPreHookWithParams<?, ?, ?> hook
        ? ((ForwardPreHookWithParams<Block, NDList, PairList<String, Object>>) hook)
            .beforeForward(module, module.path(), inputs, null)
        : ((ForwardPreHook<Block, NDList>) entry.hook())
            .beforeForward(module, module.path(), inputs);
  }

  /** The module has returned. */
  void returned(NDList outputs) {
    List<HookEntry> called = new ArrayList<>();
    try {
      for (HookEntry entry : HookTable.of(module, HookKind.FORWARD)) {
        called.add(entry);
        refuse(call(entry, outputs), "forward hook", "outputs");
      }
    } catch (Throwable e) {
      UserFailure.mark(e);
      runAlwaysCalled(called, outputs, e);
      throw e;
    }
    if (backward != null) {
      backward.observeOutputs(outputs);
    }
  }

  @SuppressWarnings("unchecked")
  private @Nullable NDList call(HookEntry entry, NDList outputs) {
    return entry.hook() instanceof ForwardHookWithParams<?, ?, ?> hook
        ? ((ForwardHookWithParams<Block, NDList, PairList<String, Object>>) hook)
            .afterForward(module, module.path(), inputs, null, outputs)
        : ((ForwardHook<Block, NDList>) entry.hook())
            .afterForward(module, module.path(), inputs, outputs);
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

  private void refuse(@Nullable Object replacement, String kind, String what) {
    if (replacement != null) {
      throw new IllegalStateException(
          "layer %s: its %s returned %s to go on with, but the layer is inside a TorchScript model, which is one native call and over when hooks run; there hooks only look: return null"
              .formatted(module, kind, what));
    }
  }
}
