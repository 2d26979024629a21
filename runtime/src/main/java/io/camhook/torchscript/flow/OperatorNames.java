package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.ModuleTree;
import io.camhook.torchscript.archive.PythonNames;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.SubExpressions;
import io.camhook.torchscript.source.VariableUse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names for the values that operators return: the operator and its number in order of execution,
 * counting both branches of an {@code if}. {@code relu} is the first ReLU and {@code relu#7} the
 * eighth, whether in place or not; in a loop, or where the module is called several times, it is
 * {@code relu@7}, and {@code #} counts its runs. The variable that the value is assigned to is a
 * second name for it.
 *
 * <p>Where the code calls modules, an operator's name begins with the module whose code it is in:
 * {@code layer3.0/relu#1}, for the root {@code ./flatten}.
 */
public final class OperatorNames {
  /** The names that torch gives to values without a name in Python. */
  private static final Pattern TEMPORARY = Pattern.compile("_\\d+");

  private static final Set<String> CONVOLUTIONS = Set.of("_convolution", "convolution");

  private final ModuleTree modules;
  private final boolean flat;
  private final Map<String, CallSite> byPath = new LinkedHashMap<>();
  private final Map<String, List<CallSite>> byAlias = new HashMap<>();
  private final Map<String, List<String>> unclear = new LinkedHashMap<>();

  private OperatorNames(ModuleTree modules, boolean flat) {
    this.modules = modules;
    this.flat = flat;
  }

  /**
   * Names every operator's value that forward can make.
   *
   * @param flat whether the code calls no modules, so that operators are all there is
   * @param inlined modules whose code is part of forward, and the operators that make their values
   */
  public static OperatorNames of(
      MethodContext root, ModuleTree modules, boolean flat, InlinedModules.Found inlined) {
    OperatorNames names = new OperatorNames(modules, flat);
    List<CallSite> sites = new ArrayList<>();
    Map<MethodContext, Set<CallSite>> callers = new HashMap<>();
    collect(root, new HashSet<>(), sites, callers);
    markRepeated(sites, callers);
    sites.forEach(names::name);
    sites.forEach(names::alias);
    Map<Expr.Call, CallSite> byCall = new IdentityHashMap<>();
    sites.forEach(site -> byCall.put(site.call(), site));
    inlined.values().forEach((path, calls) -> names.module(path, sites(calls, byCall)));
    inlined
        .unclear()
        .forEach(
            (path, calls) ->
                names.unclear.put(
                    path, sites(calls, byCall).stream().map(s -> s.target().path()).toList()));
    return names;
  }

  /** By name, in order of execution. */
  public Map<String, CallSite> byPath() {
    return byPath;
  }

  /**
   * The operators whose values have this name, in order of execution; none if it is no name. Only a
   * module's name can mean several: it is called several times, or in branches.
   */
  public List<CallSite> find(String name) {
    CallSite site = byPath.get(name);
    return site != null ? List.of(site) : byAlias.getOrDefault(name, List.of());
  }

  /**
   * By path, modules of an inlined archive of which the code does not tell which values they made,
   * and the names of the values that fit.
   */
  public Map<String, List<String>> unclear() {
    return unclear;
  }

  private static List<CallSite> sites(
      Collection<Expr.Call> calls, Map<Expr.Call, CallSite> byCall) {
    return calls.stream().map(byCall::get).filter(Objects::nonNull).toList();
  }

  private static void collect(
      MethodContext context,
      Set<MethodContext> seen,
      List<CallSite> operators,
      Map<MethodContext, Set<CallSite>> callers) {
    if (seen.add(context)) {
      for (CallSite site : context.sites()) {
        if (site.isOperator()) {
          operators.add(site);
        }
        for (MethodContext callee : site.callees()) {
          callers.computeIfAbsent(callee, c -> new LinkedHashSet<>()).add(site);
          collect(callee, seen, operators, callers);
        }
      }
    }
  }

  /**
   * The second run of {@code part/relu} is {@code part/relu#1} in a recording, and so would be the
   * first run of its second ReLU: in a method that runs several times they are told apart as in a
   * loop.
   */
  private static void markRepeated(
      List<CallSite> operators, Map<MethodContext, Set<CallSite>> callers) {
    Map<List<Object>, Integer> counts = new HashMap<>();
    operators.forEach(site -> counts.merge(kind(site), 1, Integer::sum));
    Map<MethodContext, Boolean> repeated = new HashMap<>();
    for (CallSite site : operators) {
      if (counts.getOrDefault(kind(site), 0) > 1 && isRepeated(site.caller(), callers, repeated)) {
        site.markRepeated();
      }
    }
  }

  private static List<Object> kind(CallSite site) {
    return List.of(site.caller().key().self(), site.operator());
  }

  private static boolean isRepeated(
      MethodContext context,
      Map<MethodContext, Set<CallSite>> callers,
      Map<MethodContext, Boolean> known) {
    Boolean found = known.get(context);
    if (found == null) {
      known.put(context, true); // what calls itself may run several times
      Set<CallSite> calls = callers.getOrDefault(context, Set.of());
      found =
          calls.size() > 1
              || calls.stream()
                  .anyMatch(c -> c.isRepeated() || isRepeated(c.caller(), callers, known));
      known.put(context, found);
    }
    return found;
  }

  /**
   * The operator's name: {@code relu} also for {@code torch.relu_}, {@code conv2d} also for the
   * {@code torch._convolution} that a trace has.
   */
  static String of(String dotted, Expr.Call call) {
    String name = dotted.substring(dotted.lastIndexOf('.') + 1);
    if (CONVOLUTIONS.contains(name)
        && call.arguments().size() > 6
        && call.arguments().get(3).value() instanceof Expr.ListOf stride) {
      boolean transposed =
          call.arguments().get(6).value() instanceof Expr.Name flag && flag.id().equals("True");
      return (transposed ? "conv_transpose" : "conv") + stride.items().size() + "d";
    }
    return Operators.isInPlace(name) ? name.substring(0, name.length() - 1) : name;
  }

  private void name(CallSite site) {
    String prefix = prefix(site);
    String name = prefix + site.operator();
    if (site.isRepeated()) {
      name += "@" + site.number();
    } else if (site.number() > 0) {
      name += "#" + site.number();
    } else if (modules.byPath().containsKey(name)) {
      name = "./" + name;
    }
    site.value(new ModuleNode(name, site.dotted(), false));
    byPath.put(name, site);
  }

  private String prefix(CallSite site) {
    String module = site.caller().key().self().path();
    return flat ? "" : PythonNames.shown(module) + "/";
  }

  private void alias(CallSite site) {
    String prefix = prefix(site);
    String written = site.dotted().substring(site.dotted().lastIndexOf('.') + 1);
    for (String operator : new LinkedHashSet<>(List.of(site.operator(), written))) {
      alias(site, prefix + operator + "#" + site.number(), false);
      if (site.number() == 0) {
        alias(site, prefix + operator, false);
      }
    }
    String variable = variable(site);
    if (variable != null) {
      alias(site, prefix + variable, true);
    }
  }

  private void module(String path, List<CallSite> sites) {
    if (byAlias.putIfAbsent(path, sites) == null) {
      sites.forEach(site -> site.target().aliases().add(path));
    }
  }

  private void alias(CallSite site, String name, boolean shown) {
    boolean free = !modules.byPath().containsKey(name) && !byPath.containsKey(name);
    if (free && byAlias.putIfAbsent(name, List.of(site)) == null && shown) {
      site.target().aliases().add(name);
    }
  }

  /** The variable that is assigned this value and nothing else. */
  private static @Nullable String variable(CallSite site) {
    Map<Expr.Call, String> variables = site.caller().variables();
    return variables.get(site.call());
  }

  /** By call, the variable of a method that takes what it returns and nothing else. */
  static Map<Expr.Call, String> variables(Stmt.Function method) {
    Map<String, Integer> assigned = new HashMap<>();
    Map<Expr.Call, String> byCall = new IdentityHashMap<>();
    method.body().forEach(s -> assignments(s, assigned, byCall));
    byCall.values().removeIf(name -> assigned.getOrDefault(name, 0) != 1);
    return byCall;
  }

  private static void assignments(
      Stmt statement, Map<String, Integer> assigned, Map<Expr.Call, String> byCall) {
    if (statement instanceof Stmt.Assign assign) {
      VariableUse names = new VariableUse(null);
      names.add(assign);
      names.assigned().forEach(name -> assigned.merge(name, 1, Integer::sum));
      if (assign.targets().size() == 1
          && assign.targets().get(0) instanceof Expr.Name name
          && assign.value() instanceof Expr.Call call
          && !TEMPORARY.matcher(name.id()).matches()) {
        byCall.put(call, name.id());
      }
    } else {
      SubExpressions.of(statement, expression -> {}, inner -> assignments(inner, assigned, byCall));
    }
  }
}
