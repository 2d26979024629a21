package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Stmt;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A call of a module's method or of an operator, in one {@link MethodContext}, with what the
 * analysis knows about the returned value. A free function that a module calls ({@code
 * torch.nn.functional.relu}) counts as an operator.
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
  private boolean readsInput;
  private boolean unclear;
  private boolean throughInterface;
  private final @Nullable String operator;
  private final @Nullable Expr type;
  private boolean repeated;
  private List<Boolean> tensorArguments = List.of();
  private int number = -1;
  private @Nullable ModuleNode value;

  /**
   * A call of a module.
   *
   * @param repeated whether it is in a loop
   */
  CallSite(
      MethodContext caller,
      Expr.Call call,
      boolean forward,
      MethodContext callee,
      boolean repeated) {
    this.caller = caller;
    this.call = call;
    this.forward = forward;
    this.operator = null;
    this.type = null;
    this.repeated = repeated;
    this.callees.add(callee);
  }

  /**
   * An operator.
   *
   * @param operator its full name, {@code torch.relu_}
   * @param type its return type
   * @param repeated whether it is in a loop
   */
  CallSite(MethodContext caller, Expr.Call call, String operator, Expr type, boolean repeated) {
    this.caller = caller;
    this.call = call;
    this.forward = false;
    this.operator = operator;
    this.type = type;
    this.repeated = repeated;
  }

  /** Whether an operator is called, not a module. */
  public boolean isOperator() {
    return operator != null;
  }

  /** The operator's name in names of values, {@link OperatorNames#of}. */
  public String operator() {
    return OperatorNames.of(dotted(), call);
  }

  /** The operator's full name, {@code torch.relu_}. */
  public String dotted() {
    return Objects.requireNonNull(operator, "asked for the operator of a module's call");
  }

  /**
   * Whether it may be called several times in a pass: it is in a loop; or an operator of several in
   * a method that is called several times.
   */
  public boolean isRepeated() {
    return repeated;
  }

  void markRepeated() {
    repeated = true;
  }

  /**
   * The number of the value among those of this operator in the module, from 0; negative while
   * unknown.
   */
  public int number() {
    return number;
  }

  public void number(int which) {
    number = which;
  }

  /** The run number in the value's name: {@code relu#7} is the eighth. */
  public int firstCall() {
    return operator == null || repeated ? 0 : number;
  }

  /** The operator's value as something with a path. */
  void value(ModuleNode named) {
    value = named;
  }

  /** For each argument of an operator whether it is known to be a tensor. */
  void tensorArguments(List<Boolean> tensors) {
    tensorArguments = tensors;
  }

  /** The type of the returned value; null if the code does not state it. */
  public @Nullable Expr returns() {
    return operator != null ? type : callee().method().returns();
  }

  /** The type of an argument that is given by position; null if the code does not say it. */
  public @Nullable Expr argumentType(int position) {
    if (call.arguments().get(position).name() != null) {
      return null;
    }
    if (operator != null) {
      return position < tensorArguments.size() && tensorArguments.get(position)
          ? OperatorResults.TENSOR_TYPE
          : null;
    }
    List<Stmt.Parameter> parameters = callee().method().parameters();
    return position + 1 < parameters.size() ? parameters.get(position + 1).type() : null;
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

  /**
   * The called methods, unless this is an operator; more than one if branches choose the module.
   */
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
    if (value != null) {
      all.add(value);
    }
    callees.forEach(callee -> all.add(callee.key().self()));
    return all;
  }

  /** The module that is called, or the operator's value. */
  public ModuleNode target() {
    return operator != null
        ? Objects.requireNonNull(value, "an operator whose value has no name yet")
        : callee().key().self();
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

  /** Whether an argument is one of the model's inputs, or shares its memory. */
  boolean readsInput() {
    return readsInput;
  }

  void markReadsInput() {
    readsInput = true;
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
