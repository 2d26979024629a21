package io.camhook.djl.hooks;

import ai.djl.ndarray.NDList;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookMoment;
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
                List.of(HookTable.of(module, HookMoment.BEFORE_BACKWARD)),
                List.of(HookTable.of(module, HookMoment.AFTER_BACKWARD)));
  }

  /**
   * Adds the tensors of an argument.
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
    for (HookEntry entry : HookTable.of(module, HookMoment.BEFORE_FORWARD)) {
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
      NDList replaced = call(entry, null);
      if (replaced != null) {
        require(entry, replaced, inputs.size(), "inputs");
      }
      return replaced;
    } catch (RuntimeException e) {
      throw UserFailure.of(HookTypes.named(e, entry, module.path()));
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
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
      for (HookEntry entry : HookTable.of(module, HookMoment.AFTER_FORWARD)) {
        called.add(entry);
        NDList replaced;
        try {
          replaced = call(entry, seen);
        } catch (RuntimeException e) {
          throw HookTypes.named(e, entry, module.path());
        }
        if (replaced != null) {
          require(entry, replaced, outputs.size(), "outputs");
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

  /** Its own lists: the hook may change them, and only its return value counts. */
  private @Nullable NDList call(HookEntry entry, @Nullable NDList outputs) {
    NDList shown = outputs == null ? null : new NDList(outputs);
    return (NDList)
        entry.call(HookArguments.forward(module, module.path(), new NDList(inputs), null, shown));
  }

  private void runAlwaysCalled(List<HookEntry> called, NDList outputs, Throwable failure) {
    for (HookEntry entry : HookTable.of(module, HookMoment.AFTER_FORWARD)) {
      if (entry.alwaysCall() && !called.contains(entry)) {
        try {
          call(entry, outputs);
        } catch (Throwable e) {
          failure.addSuppressed(e);
        }
      }
    }
  }

  private void require(HookEntry entry, NDList replaced, int expected, String what) {
    if (!waits || !entry.replaces()) {
      throw new IllegalStateException(
          "layer %s: its %s returned %s, but the layer is inside a TorchScript model, where hooks only look by default: return null, or register the hook with HookOptions.replacing() (replace: true in camhook.yaml)"
              .formatted(module, entry.kind().text(), what));
    }
    if (replaced.size() != expected || replaced.stream().anyMatch(Objects::isNull)) {
      throw new IllegalStateException(
          "layer %s: its %s returned %d arrays, expected %d, one for each tensor of its %s"
              .formatted(
                  module,
                  entry.kind().text(),
                  replaced.stream().filter(Objects::nonNull).count(),
                  expected,
                  what));
    }
  }
}
