package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.SubExpressions;
import io.camhook.torchscript.source.VariableUse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** The calls of a program, and the path from {@code forward} to each. */
public final class CallPaths {
  private static final int DEEPEST = 200;

  private final Map<MethodContext, List<CallSite>> callers = new HashMap<>();
  private final Map<ModuleNode, Integer> sitesOf = new HashMap<>();
  private final Set<CallSite> completed = new LinkedHashSet<>();

  public CallPaths(MethodContext root) {
    visit(root, new HashSet<>());
  }

  private void visit(MethodContext context, Set<MethodContext> seen) {
    if (!seen.add(context)) {
      return;
    }
    for (CallSite site : context.sites()) {
      if (site.isForward() || site.isOperator()) {
        sitesOf.merge(site.target(), 1, Integer::sum);
      }
      for (MethodContext callee : site.callees()) {
        callers.computeIfAbsent(callee, c -> new ArrayList<>()).add(site);
        visit(callee, seen);
      }
      completed.add(site);
    }
  }

  /** All calls in order of their first completion. */
  public Set<CallSite> completed() {
    return completed;
  }

  /**
   * The calls from the root to a module or operator that is called once in a pass and returns a
   * tensor; null for others.
   */
  public @Nullable List<CallSite> to(CallSite call) {
    Expr type = call.returns();
    boolean once = sitesOf.getOrDefault(call.target(), 0) == 1;
    if (!once || type == null || !Printer.print(type).equals("Tensor")) {
      return null;
    }
    List<CallSite> way = new ArrayList<>(List.of(call));
    while (callers.containsKey(way.get(0).caller())) {
      List<CallSite> above = callers.get(way.get(0).caller());
      if (above == null || above.size() != 1 || way.size() > DEEPEST) {
        return null;
      }
      way.add(0, above.get(0));
    }
    boolean clear =
        way.stream().noneMatch(s -> s.isUnclear() || s.isThroughInterface() || isRepeated(s));
    return clear ? way : null;
  }

  /** Whether a call is in a loop or a comprehension, and so may run several times in a pass. */
  private static boolean isRepeated(CallSite site) {
    return site.caller().method().body().stream().anyMatch(s -> isRepeated(s, site.call()));
  }

  private static boolean isRepeated(Stmt statement, Expr.Call call) {
    if (call.start() < statement.start() || statement.end() < call.end()) {
      return false;
    }
    if (statement instanceof Stmt.While || statement instanceof Stmt.For) {
      return true;
    }
    AtomicBoolean repeated = new AtomicBoolean();
    SubExpressions.of(
        statement,
        part -> repeated.compareAndSet(false, part != null && isRepeated(part, call)),
        part -> repeated.compareAndSet(false, isRepeated(part, call)));
    return repeated.get();
  }

  private static boolean isRepeated(Expr expression, Expr.Call call) {
    if (call.start() < expression.start() || expression.end() < call.end()) {
      return false;
    }
    if (expression instanceof Expr.Comprehension) {
      return true;
    }
    AtomicBoolean repeated = new AtomicBoolean();
    SubExpressions.of(
        expression, part -> repeated.compareAndSet(false, part != null && isRepeated(part, call)));
    return repeated.get();
  }

  /** The simple statement of a body that holds the call; -1 if it is in a branch or loop. */
  public static int statementOf(List<Stmt> body, Expr.Call call) {
    for (int i = 0; i < body.size(); i++) {
      Stmt s = body.get(i);
      boolean simple =
          s instanceof Stmt.Assign || s instanceof Stmt.Evaluate || s instanceof Stmt.Return;
      if (s.start() <= call.start() && call.end() <= s.end()) {
        return simple ? i : -1;
      }
    }
    return -1;
  }

  /**
   * The statements before a call that a method still needs to continue from there with a given
   * result of the call.
   *
   * @param keepsOwner whether the module whose method is called is needed too
   * @return lookups only; null if data bypasses the call
   */
  public static @Nullable List<Stmt> neededBefore(CallSite site, int at, boolean keepsOwner) {
    Stmt.Function method = site.caller().method();
    VariableUse rest = new VariableUse(site.call());
    method.body().subList(at, method.body().size()).forEach(rest::add);
    Set<String> names = new HashSet<>(rest.read());
    if (keepsOwner) {
      VariableUse owner = new VariableUse(null);
      Expr.Attribute function = (Expr.Attribute) site.call().function();
      owner.add(new Stmt.Evaluate(0, 0, function.value(), null));
      names.addAll(owner.read());
    }
    List<Stmt> needed = new ArrayList<>();
    for (int i = at - 1; i >= 0; i--) {
      Stmt statement = method.body().get(i);
      VariableUse here = new VariableUse(null);
      here.add(statement);
      if (here.assigned().stream().noneMatch(names::contains)) {
        continue;
      }
      if (!(statement instanceof Stmt.Assign) || here.calls()) {
        return null;
      }
      names.removeAll(here.assigned());
      names.addAll(here.read());
      needed.add(0, statement);
    }
    for (Stmt.Parameter parameter : method.parameters().subList(1, method.parameters().size())) {
      if (names.contains(parameter.name())) {
        return null;
      }
    }
    return needed;
  }
}
