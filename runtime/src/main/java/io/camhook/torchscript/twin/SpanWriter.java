package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes methods that run a part of the model, from the result of one call up to another call. In
 * each method on the path to the first call they keep the statement that contains it, with the
 * result in its place, and the statements after it; in each method on the path to the second call,
 * the statements before it. A part can begin at a call if all data passes through it once: no
 * statement after it may need a variable computed from data before it.
 */
final class SpanWriter {
  /** One method to add. */
  record Method(SourceTree.ClassSource type, String text) {}

  /** Further edits to the methods. */
  interface Inside {
    /** Parameters to pass down, each after a comma. */
    default String parameters() {
      return "";
    }

    /** The same as arguments, each before a comma. */
    default String arguments() {
      return "";
    }

    /** Changes a call. */
    default void edit(CallSite call, Edits edits) {}

    /** Wraps a call that contains the start. */
    default void around(CallSite call, Edits edits) {}

    /** The expression that replaces the call whose result is {@code camhook_x}. */
    default String start(CallSite call) {
      return "camhook_x";
    }
  }

  /** Nothing else changes. */
  static final Inside PLAIN = new Inside() {};

  /** Where a part of the model ends. */
  private enum End {
    /** The part ends where the model ends. */
    MODEL,
    /** The part ends with the call's result. */
    RESULT,
    /** The part ends with the call's first argument. */
    ARGUMENT
  }

  private final String name;
  private final List<CallSite> start;
  private final List<CallSite> end;
  private final End ends;
  private final Inside inside;
  private final Map<String, Method> methods = new LinkedHashMap<>();

  private SpanWriter(
      String name, List<CallSite> start, List<CallSite> end, End ends, Inside inside) {
    this.name = name;
    this.start = start;
    this.end = end;
    this.ends = ends;
    this.inside = inside;
  }

  /**
   * From the result of a call, given as {@code camhook_x}, to the end of the model.
   *
   * @param name the name of the root's method; begins those of the others
   * @param start the calls from the root to the one with the result
   * @return the methods by name, the root's first; null if data bypasses the call
   */
  static @Nullable Map<String, Method> from(String name, List<CallSite> start, Inside inside) {
    return new SpanWriter(name, start, List.of(), End.MODEL, inside).write();
  }

  /** From the inputs of the model to the result of a call; otherwise like {@link #from}. */
  static @Nullable Map<String, Method> to(String name, List<CallSite> end) {
    return new SpanWriter(name, List.of(), end, End.RESULT, PLAIN).write();
  }

  /**
   * Like {@link #from}, up to the argument of a later call.
   *
   * @param start empty for the beginning of the model
   * @param end the calls from the root to the one with the argument
   */
  static @Nullable Map<String, Method> between(
      String name, List<CallSite> start, List<CallSite> end, Inside inside) {
    return new SpanWriter(name, start, end, End.ARGUMENT, inside).write();
  }

  private @Nullable Map<String, Method> write() {
    MethodContext root = (start.isEmpty() ? end : start).get(0).caller();
    boolean written = write(root, 0, !start.isEmpty(), !end.isEmpty(), name);
    return written ? methods : null;
  }

  private boolean write(
      MethodContext context, int depth, boolean starts, boolean stops, String called) {
    Stmt.Function method = context.method();
    CallSite from = starts ? start.get(depth) : null;
    CallSite to = stops ? end.get(depth) : null;
    int at = from == null ? 0 : CallPaths.statementOf(method.body(), from.call());
    int stop = to == null ? method.body().size() : CallPaths.statementOf(method.body(), to.call());
    if (at < 0 || stop < at || method.returns() == null) {
      return false;
    }
    boolean startsDeeper = depth + 1 < start.size();
    List<Stmt> needed = from == null ? List.of() : CallPaths.neededBefore(from, at, startsDeeper);
    if (needed == null) {
      return false;
    }
    methods.put(called, new Method(context.source(), "")); // its place is before the deeper ones
    Edits edits = new Edits();
    for (CallSite site : context.sites()) {
      if (site != to && (from == null || !from.holds(site))) {
        inside.edit(site, edits);
      }
    }
    boolean both = from != null && from == to;
    if (from != null && !startsDeeper) {
      edits.replace(from.call().start(), from.call().end(), inside.start(from));
    } else if (from != null) {
      String next = name + "_" + methods.size();
      Expr.Attribute function = (Expr.Attribute) from.call().function();
      String redirected = next + "(" + inside.arguments() + "camhook_x, )";
      edits.replace(function.end() - function.name().length(), from.call().end(), redirected);
      inside.around(from, edits);
      if (!write(from.callee(), depth + 1, true, both, next)) {
        return false;
      }
    }
    if (to != null && !both && depth + 1 < end.size()) {
      String next = name + "_" + methods.size();
      Expr.Attribute function = (Expr.Attribute) to.call().function();
      edits.replace(function.end() - function.name().length(), function.end(), next);
      edits.replace(function.end(), function.end() + 1, "(" + inside.arguments());
      if (!write(to.callee(), depth + 1, false, true, next)) {
        return false;
      }
    }
    String text = context.source().file().text();
    StringBuilder out = head(method, text, called, starts, stops);
    for (Stmt statement : needed) {
      out.append("    ").append(text, statement.start(), statement.end()).append('\n');
    }
    int first = method.body().get(at).start();
    out.append("    ");
    if (to == null) {
      out.append(edits.apply(text, first, method.end()));
    } else {
      out.append(edits.apply(text, first, method.body().get(stop).start())).append("return ");
      boolean argument = ends == End.ARGUMENT && depth + 1 == end.size();
      Expr last = argument ? to.call().arguments().get(0).value() : to.call();
      out.append(edits.apply(text, last.start(), last.end()));
    }
    methods.put(called, new Method(context.source(), out.toString()));
    return true;
  }

  private StringBuilder head(
      Stmt.Function method, String text, String called, boolean starts, boolean stops) {
    List<Stmt.Parameter> parameters = method.parameters();
    Stmt.Parameter self = parameters.get(0);
    StringBuilder out = new StringBuilder("def ").append(called).append('(');
    out.append(text, self.start(), self.end()).append(inside.parameters());
    if (starts) {
      out.append(",\n    camhook_x: Tensor");
    } else {
      out.append(text, self.end(), parameters.get(parameters.size() - 1).end());
    }
    String returns = stops || method.returns() == null ? "Tensor" : Printer.print(method.returns());
    return out.append(") -> ").append(returns).append(":\n");
  }
}
