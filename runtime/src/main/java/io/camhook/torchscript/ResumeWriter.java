package io.camhook.torchscript;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Writes methods that go on from a given result of a module.
 *
 * <p>Resuming runs only what comes behind the module: in each method on the way to the call, the
 * statement with the call (the result in its place) and those behind it. Possible where all data
 * passes through the call once: nothing behind it may need a variable that came from data before
 * it. Replacing runs the whole model with the result in the place of the call, so data may go
 * around it.
 */
final class ResumeWriter {
  /** One method to add. */
  record Method(SourceTree.ClassSource type, String text) {}

  private final String prefix;
  private final Map<MethodContext, List<CallSite>> callers = new HashMap<>();
  private final Map<ModuleNode, Integer> sitesOf = new HashMap<>();

  ResumeWriter(MethodContext root, String prefix) {
    this.prefix = prefix;
    visit(root, new HashSet<>());
  }

  private void visit(MethodContext context, Set<MethodContext> seen) {
    if (!seen.add(context)) {
      return;
    }
    for (CallSite site : context.sites()) {
      if (site.isForward()) {
        sitesOf.merge(site.target(), 1, Integer::sum);
      }
      for (MethodContext callee : site.callees()) {
        callers.computeIfAbsent(callee, c -> new ArrayList<>()).add(site);
        visit(callee, seen);
      }
    }
  }

  /**
   * The methods that resume behind a call, by name, the root's first; null if data goes around it.
   */
  @Nullable Map<String, Method> resume(CallSite tap, int number) {
    List<CallSite> way = way(tap);
    if (way == null) {
      return null;
    }
    Map<String, Method> methods = new LinkedHashMap<>();
    for (int depth = 0; depth < way.size(); depth++) {
      CallSite site = way.get(depth);
      String next = depth + 1 < way.size() ? name("resume", number, depth + 1) : null;
      String name = name("resume", number, depth);
      String text = method(site, name, next);
      if (text == null) {
        return null;
      }
      methods.put(name, new Method(site.caller().source(), text));
    }
    return methods;
  }

  /**
   * The methods that run the whole model with the result of a call replaced, by name, the root's
   * first; null if the module is called from several places, or in a loop.
   */
  @Nullable Map<String, Method> replace(CallSite tap, int number) {
    List<CallSite> way = way(tap);
    if (way == null) {
      return null;
    }
    Map<String, Method> methods = new LinkedHashMap<>();
    for (int depth = 0; depth < way.size(); depth++) {
      CallSite site = way.get(depth);
      String next = depth + 1 < way.size() ? name("replace", number, depth + 1) : null;
      String name = name("replace", number, depth);
      methods.put(name, new Method(site.caller().source(), replacing(site, name, next)));
    }
    return methods;
  }

  /** The calls from the root to a module that is called once in a pass; null for others. */
  private @Nullable List<CallSite> way(CallSite tap) {
    Expr type = tap.callee().method().returns();
    boolean once = sitesOf.getOrDefault(tap.target(), 0) == 1;
    if (!once || type == null || !Printer.print(type).equals("Tensor")) {
      return null;
    }
    List<CallSite> way = new ArrayList<>(List.of(tap));
    while (callers.containsKey(way.get(0).caller())) {
      List<CallSite> above = callers.get(way.get(0).caller());
      if (above == null || above.size() != 1 || way.size() > 200) {
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
    Parts.of(
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
    Parts.of(
        expression, part -> repeated.compareAndSet(false, part != null && isRepeated(part, call)));
    return repeated.get();
  }

  private String name(String kind, int number, int depth) {
    return prefix + "_" + kind + "_" + number + (depth == 0 ? "" : "_" + depth);
  }

  private static String replacing(CallSite site, String name, @Nullable String next) {
    Stmt.Function method = site.caller().method();
    Expr.Call call = site.call();
    Edits edits = new Edits();
    edits.replace(method.nameStart(), method.nameStart() + method.name().length(), name);
    edits.insert(method.parameters().get(0).end(), ",\n    camhook_x: Tensor");
    if (next == null) {
      edits.replace(call.start(), call.end(), "camhook_x");
    } else {
      Expr.Attribute function = (Expr.Attribute) call.function();
      edits.replace(function.end() - function.name().length(), function.end(), next);
      edits.replace(function.end(), function.end() + 1, "(camhook_x, ");
    }
    return edits.apply(site.caller().source().file().text(), method.start(), method.end());
  }

  private @Nullable String method(CallSite site, String name, @Nullable String next) {
    Stmt.Function method = site.caller().method();
    Expr.Call call = site.call();
    int at = statementOf(method.body(), call);
    if (at < 0 || method.returns() == null) {
      return null;
    }
    Names behind = new Names(call);
    if (next != null) {
      Names owner = new Names(null);
      Expr.Attribute function = (Expr.Attribute) call.function();
      owner.add(new Stmt.Evaluate(0, 0, function.value(), null));
      behind.read().addAll(owner.read());
    }
    method.body().subList(at, method.body().size()).forEach(behind::add);
    List<Stmt> needed = neededBefore(method, at, behind.read());
    if (needed == null) {
      return null;
    }
    String text = site.caller().source().file().text();
    Edits edits = new Edits();
    if (next == null) {
      edits.replace(call.start(), call.end(), "camhook_x");
    } else {
      Expr.Attribute function = (Expr.Attribute) call.function();
      edits.replace(function.end() - function.name().length(), call.end(), next + "(camhook_x, )");
    }
    Stmt.Parameter self = method.parameters().get(0);
    StringBuilder out = new StringBuilder("def ").append(name).append('(');
    out.append(text, self.start(), self.end()).append(",\n    camhook_x: Tensor) -> ");
    out.append(Printer.print(method.returns())).append(":\n");
    for (Stmt statement : needed) {
      out.append("    ").append(text, statement.start(), statement.end()).append('\n');
    }
    int start = method.body().get(at).start();
    return out.append("    ").append(edits.apply(text, start, method.end())).toString();
  }

  /** The simple statement of a body that holds the call; -1 if it is in a branch or loop. */
  static int statementOf(List<Stmt> body, Expr.Call call) {
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
   * Statements before {@code at} that the rest needs; null if one of them is more than a lookup.
   */
  private static @Nullable List<Stmt> neededBefore(
      Stmt.Function method, int at, Set<String> wanted) {
    Set<String> names = new HashSet<>(wanted);
    List<Stmt> needed = new ArrayList<>();
    for (int i = at - 1; i >= 0; i--) {
      Stmt statement = method.body().get(i);
      Names here = new Names(null);
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
