package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * A place in a method, in one {@link MethodContext}, where a method of a module is called, and what
 * the analysis found out about the value that comes back.
 */
public final class CallSite {
  private final MethodContext caller;
  private final Expr.Call call;
  private final boolean forward;
  private final Set<MethodContext> callees = new LinkedHashSet<>();
  private final Set<ModuleNode> candidates = new LinkedHashSet<>();
  private final Set<Integer> changedArguments = new TreeSet<>();
  private boolean changedLater;
  private boolean aliasesLiveValue;
  private boolean aliasesState;
  private boolean spatial;
  private boolean unclear;
  private boolean throughInterface;

  CallSite(MethodContext caller, Expr.Call call, boolean forward, MethodContext callee) {
    this.caller = caller;
    this.call = call;
    this.forward = forward;
    this.callees.add(callee);
  }

  public MethodContext caller() {
    return caller;
  }

  public Expr.Call call() {
    return call;
  }

  /** Whether another call of the same method is this one, or written inside of it. */
  public boolean holds(CallSite other) {
    return call.start() <= other.call.start() && other.call.end() <= call.end();
  }

  /** Whether this is a call of the module itself, not of one of its other methods. */
  public boolean isForward() {
    return forward;
  }

  /** What is called; more than one only where branches choose the module. */
  public MethodContext callee() {
    return callees.iterator().next();
  }

  public Set<MethodContext> callees() {
    return callees;
  }

  void alsoCalls(MethodContext callee) {
    callees.add(callee);
    unclear |= callees.size() > 1;
  }

  /** Whether the module called here depends on a branch, so that its path is not known. */
  public boolean isUnclear() {
    return unclear;
  }

  void markUnclear(Collection<ModuleNode> modules) {
    unclear = true;
    candidates.addAll(modules);
  }

  /** Every module that may be the one called here. */
  public Set<ModuleNode> candidates() {
    Set<ModuleNode> all = new LinkedHashSet<>(candidates);
    callees.forEach(callee -> all.add(callee.key().self()));
    return all;
  }

  public ModuleNode target() {
    return callee().key().self();
  }

  boolean isChangedLater() {
    return changedLater;
  }

  void markChangedLater() {
    changedLater = true;
  }

  /** Whether the call itself, or something after it, changes an argument in place. */
  public boolean changesArgument(int position) {
    return changedArguments.contains(position);
  }

  void markArgumentChanged(int position) {
    changedArguments.add(position);
  }

  void aliasing(boolean liveValue, boolean state) {
    aliasesLiveValue |= liveValue;
    aliasesState |= state;
  }

  public boolean isSpatial() {
    return spatial;
  }

  void markSpatial(boolean value) {
    spatial |= value;
  }

  public boolean isThroughInterface() {
    return throughInterface;
  }

  void markThroughInterface() {
    throughInterface = true;
  }

  /** How a tap here must treat the value, see {@link TapMode}. */
  public int mode() {
    int mode = 0;
    if (aliasesState) {
      mode |= TapMode.SHARED_WITH_STATE;
    }
    if (changedLater) {
      mode |= TapMode.CHANGED_LATER;
    }
    if (aliasesLiveValue) {
      mode |= TapMode.ALIASES_LIVE_VALUE;
    }
    return mode;
  }

  /** How a tap of an argument must treat the value. */
  public int argumentMode(int position) {
    return TapMode.ARGUMENT | (changesArgument(position) ? TapMode.CHANGED_LATER : 0);
  }
}
