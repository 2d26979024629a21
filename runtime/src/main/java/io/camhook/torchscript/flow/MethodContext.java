package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One method as it runs for one module instance: scripted instances of a type share the method's
 * text but call modules at different paths. A module passed as an argument is also part of the
 * context.
 */
public final class MethodContext {
  /** Instance, method, and the modules passed as arguments, by parameter position. */
  public record Key(
      ModuleNode self, String type, String method, List<@Nullable ModuleNode> modules) {}

  private final Key key;
  private final SourceTree.ClassSource source;
  private final Stmt.Function method;
  private final Map<Expr.Call, CallSite> sites = new IdentityHashMap<>();
  private final Set<CallSite> order = new LinkedHashSet<>();
  private @Nullable Map<Expr.Call, String> variables;

  private Map<CallSite, Integer> numberOf = Map.of();
  private @Nullable Value returned;

  MethodContext(Key key, SourceTree.ClassSource source, Stmt.Function method) {
    this.key = key;
    this.source = source;
    this.method = method;
  }

  public Key key() {
    return key;
  }

  public SourceTree.ClassSource source() {
    return source;
  }

  /** Sets the result of the root's forward, and the numbers of the calls in its flow. */
  void returned(Value value, Map<CallSite, Integer> numbers) {
    returned = value;
    numberOf = numbers;
  }

  /** The number of a call in flows; -1 if it was not followed. */
  int number(CallSite site) {
    return numberOf.getOrDefault(site, -1);
  }

  /** The result of the root's forward; null for other methods. */
  @Nullable Value returned() {
    return returned;
  }

  /** The name of the method's first parameter, the module. */
  public String self() {
    return method.parameters().get(0).name();
  }

  public Stmt.Function method() {
    return method;
  }

  /** The variable that takes the result of a call and nothing else, by call. */
  Map<Expr.Call, String> variables() {
    if (variables == null) {
      variables = OperatorNames.variables(method);
    }
    return variables;
  }

  /** The module or operator that is called here, if any. */
  public @Nullable CallSite site(Expr.Call call) {
    return sites.get(call);
  }

  /** Calls of modules and operators in order of their first completion. */
  public Set<CallSite> sites() {
    return order;
  }

  CallSite siteFor(Expr.Call call, MethodContext callee, boolean forward, boolean repeated) {
    return sites.computeIfAbsent(call, c -> new CallSite(this, c, forward, callee, repeated));
  }

  /** The operator or function that is called here. */
  CallSite operatorFor(Expr.Call call, String dotted, Expr returns, boolean repeated) {
    return sites.computeIfAbsent(call, c -> new CallSite(this, c, dotted, returns, repeated));
  }

  void completed(CallSite site) {
    order.add(site);
  }
}
