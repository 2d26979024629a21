package io.camhook.plain;

import io.camhook.dispatch.HookTable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * A call of a module is made of one or more calls of its methods: an override calls super.forward, an
 * overload calls another. They belong together as long as no other module comes between and no method is
 * entered twice; a method that is entered again while it runs is recursion, a call of its own. So the
 * stack holds the calls of modules, and each the methods that run in it.
 *
 * A pass that is neither captured nor watched is skipped: its root leaves a mark, and until the root
 * returns nothing below it is looked at.
 */
/** The calls running on one thread. */
final class ThreadCalls {
  private final PlainNetworks networks;
  private final List<ModuleCall> calls = new ArrayList<>();
  private final Skip skip = new Skip();
  private boolean skipping;
  private @Nullable PlainPass pass;
  private @Nullable LayerGradients ownBackward;
  private @Nullable LossCapture awaiting;

  ThreadCalls(PlainNetworks networks) {
    this.networks = networks;
  }

  @Nullable PlainCall enter(HookedNetwork network, Object module, Role role, String method) {
    if (skipping) {
      return null;
    }
    ModuleCall top = calls.isEmpty() ? null : calls.get(calls.size() - 1);
    if (top != null && top.isPartOf(network, module, role.isBackward(), method)) {
      return top.part(method);
    }
    if (top == null) {
      return enterRoot(network, module, role, method);
    }
    return push(network, module, role, method, top.root());
  }

  private PlainCall enterRoot(HookedNetwork network, Object module, Role role, String method) {
    boolean root = role.isRoot() || !network.hasRootClass();
    if (ownBackward == null) {
      if (!role.isBackward() && awaiting != null && awaiting.isOf(network)) {
        submitAwaiting(); // no backward came
      }
      forget(); // a pass that an exception left behind
      pass = root && !role.isBackward() ? networks.pass(network) : null;
    }
    if (ownBackward == null
        && pass == null
        && !(role.isBackward() && awaiting != null)
        && !network.isWatched()
        && HookTable.isEmpty()) {
      skipping = true;
      return skip;
    }
    return push(network, module, role, method, root ? module : null);
  }

  private ModuleCall push(
      HookedNetwork network, Object module, Role role, String method, @Nullable Object root) {
    ModuleCall call = new ModuleCall(this, network, module, role.isBackward(), method, root);
    calls.add(call);
    return call;
  }

  /** Removes a call that has ended, and calls above it that an exception left behind. */
  void pop(ModuleCall call) {
    int index = calls.lastIndexOf(call);
    if (index >= 0) {
      calls.subList(index, calls.size()).clear();
    }
    if (calls.isEmpty() && ownBackward == null) {
      forget();
    }
  }

  /** Ends the pass, captured or not. */
  void forget() {
    PlainPass ended = pass;
    pass = null;
    if (ended != null) {
      ended.close();
    }
  }

  boolean isOutermost() {
    return calls.isEmpty();
  }

  /** The pass that is being captured on this thread. */
  @Nullable PlainPass pass() {
    return pass;
  }

  /** Receives the gradients of camhook's own backward, which no hook sees. */
  @Nullable LayerGradients ownBackward() {
    return ownBackward;
  }

  void ownBackward(@Nullable LayerGradients running) {
    ownBackward = running;
  }

  /** Keeps a capture until the application's next backward has ended. */
  void await(LossCapture capture) {
    submitAwaiting();
    awaiting = capture;
  }

  /** A module's backward begins in the application's own backward. */
  void gradient(HookedNetwork network, String path, Object module, Object value) {
    if (awaiting != null && awaiting.isOf(network)) {
      awaiting.gradient(path, module, value);
    }
  }

  /** A module's backward has ended. */
  void backwardEnded(HookedNetwork network, Object module) {
    if (ownBackward == null
        && awaiting != null
        && awaiting.isOf(network)
        && awaiting.endsWith(module)) {
      submitAwaiting();
    }
  }

  private void submitAwaiting() {
    LossCapture capture = awaiting;
    awaiting = null;
    if (capture != null) {
      try {
        networks.recorder().submit(capture.finished());
      } catch (RuntimeException e) {
        networks.lost(capture.network(), e);
      }
    }
  }

  PlainNetworks networks() {
    return networks;
  }

  private final class Skip implements PlainCall {
    @Override
    public void before(Object[] arguments) {}

    @Override
    public @Nullable Object after(@Nullable Object result, @Nullable Throwable thrown) {
      skipping = false;
      return result;
    }
  }
}
