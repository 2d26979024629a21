package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes twins of the methods that lead to a tap: the text of the original with more parameters,
 * the calls that lead on renamed, and the taps put around the calls they record. One twin belongs
 * to one module instance, since scripted instances share their class.
 */
final class TwinWriter {
  /** Puts a tap around a call. */
  interface TapEdit {
    void tap(CallSite site, int number, Edits edits);
  }

  private final TapSites sites;
  private final String prefix;
  private final Map<String, String> handed;
  private final TapEdit taps;
  private final Map<String, List<String>> added;
  private final Map<MethodContext, String> names = new LinkedHashMap<>();

  /**
   * @param prefix prefix of every added name
   * @param handed parameters passed down from twin to twin, with their types
   * @param added takes the methods, by qualified name of their class
   */
  TwinWriter(
      TapSites sites,
      String prefix,
      Map<String, String> handed,
      TapEdit taps,
      Map<String, List<String>> added) {
    this.sites = sites;
    this.prefix = prefix;
    this.handed = handed;
    this.taps = taps;
    this.added = added;
  }

  /** Writes the twin of a method and those it needs; none if there is no tap below. */
  void write(MethodContext context) {
    if (names.containsKey(context) || !sites.leadsToTap(context)) {
      return;
    }
    String name = prefix + "_" + names.size() + "_" + context.method().name();
    names.put(context, name);
    for (CallSite site : context.sites()) {
      if (sites.isWay(site)) {
        write(site.callee());
      }
    }
    Stmt.Function method = context.method();
    Edits edits = begin(method, name);
    editCalls(context, edits, null);
    addMethod(
        context.source(),
        edits.apply(context.source().file().text(), method.start(), method.end()));
  }

  /** The twin's name; null if the method has none. */
  @Nullable String name(MethodContext context) {
    return names.get(context);
  }

  /** The methods that have twins. */
  Set<MethodContext> methods() {
    return names.keySet();
  }

  /** The edits that give a copy of {@code method} its name and parameters. */
  Edits begin(Stmt.Function method, String name) {
    Edits edits = new Edits();
    edits.replace(method.nameStart(), method.nameStart() + method.name().length(), name);
    edits.insert(method.parameters().get(0).end(), parameters());
    return edits;
  }

  /** The parameters, each after a comma. */
  String parameters() {
    StringBuilder text = new StringBuilder();
    handed.forEach((name, type) -> text.append(",\n    ").append(name).append(": ").append(type));
    return text.toString();
  }

  /** The same as arguments, each before a comma. */
  String arguments() {
    return String.join(", ", handed.keySet()) + ", ";
  }

  /**
   * Redirects the calls in a method and adds its taps; the call to the truncated method goes to its
   * copy.
   */
  void editCalls(MethodContext context, Edits edits, @Nullable CallSite truncated) {
    for (CallSite site : context.sites()) {
      editCall(site, edits, site == truncated);
    }
  }

  /** Redirects a call to its twin, if it has one, and wraps it in its tap, if it is tapped. */
  void editCall(CallSite site, Edits edits, boolean truncated) {
    if (sites.isWay(site)) {
      String twin = Objects.requireNonNull(names.get(site.callee()));
      redirect(site, twin + (truncated ? "_until" : ""), edits);
    }
    Integer number = sites.number(site);
    if (number != null) {
      taps.tap(site, number, edits);
    }
  }

  /**
   * Redirects a call to another method with more arguments, bypassing an interface if there is one.
   */
  private void redirect(CallSite site, String method, Edits edits) {
    Expr.Attribute function = (Expr.Attribute) site.call().function();
    edits.replace(function.end() - function.name().length(), function.end(), method);
    edits.replace(function.end(), function.end() + 1, "(" + arguments());
    if (site.isThroughInterface()) {
      Expr owner = function.value();
      edits.insertBefore(owner.start(), "unchecked_cast(" + site.target().type() + ", ");
      edits.insert(owner.end(), ")");
    }
  }

  void addMethod(SourceTree.ClassSource type, String text) {
    added.computeIfAbsent(type.qualifiedName(), k -> new ArrayList<>()).add("  " + text);
  }
}
