package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Stmt;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes methods that take a module's result as an argument. A resume method runs only the code
 * after the module, and exists where all data passes through the call exactly once. A replace
 * method runs the whole model with the given result in place of the call, so data may also bypass
 * the call.
 */
final class ResumeWriter {
  private final CallPaths ways;
  private final String prefix;

  ResumeWriter(CallPaths ways, String prefix) {
    this.ways = ways;
    this.prefix = prefix;
  }

  /** The methods that resume after a call, by name, the root's first; null if data bypasses it. */
  @Nullable Map<String, SpanWriter.Method> resume(CallSite tap, int number) {
    List<CallSite> way = ways.to(tap);
    return way == null
        ? null
        : SpanWriter.from(prefix + "_resume_" + number, way, SpanWriter.PLAIN);
  }

  /**
   * The methods that run the whole model with the result of a call replaced, by name, the root's
   * first; null if the module is called from several places, or in a loop.
   */
  @Nullable Map<String, SpanWriter.Method> replace(CallSite tap, int number) {
    List<CallSite> way = ways.to(tap);
    if (way == null) {
      return null;
    }
    String name = prefix + "_replace_" + number;
    Map<String, SpanWriter.Method> methods = new LinkedHashMap<>();
    for (int depth = 0; depth < way.size(); depth++) {
      CallSite site = way.get(depth);
      String called = depth == 0 ? name : name + "_" + depth;
      String next = depth + 1 < way.size() ? name + "_" + (depth + 1) : null;
      String text = replacing(site, called, next);
      methods.put(called, new SpanWriter.Method(site.caller().source(), text));
    }
    return methods;
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
}
