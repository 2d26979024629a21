package io.camhook.torchscript.twin;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Adds twins that record the arguments and results of module calls for hooks. An argument of each
 * twin selects the calls that a pass records.
 */
public final class HookRewriter {
  private static final String WANTED = "camhook_wanted";

  private final MethodContext root;
  private final String prefix;
  private final TapFunctions functions;
  private final Predicate<CallSite> wanted;
  private final TapSites sites;
  private final TwinWriter twins;
  private final Map<String, String> silent = new LinkedHashMap<>();
  private final List<HookPlan.Site> plan = new ArrayList<>();
  private final StopWriter stops;
  private @Nullable String stoppingMethod;

  /**
   * @param wanted selects the operators that hooks see; not used for modules
   * @param prefix prefix of every added name, unused in the archive
   * @param added takes the methods, by qualified name of their class
   */
  public HookRewriter(
      SourceTree sources,
      MethodContext root,
      Predicate<CallSite> wanted,
      String prefix,
      Map<String, List<String>> added) {
    this.root = root;
    this.wanted = wanted;
    this.prefix = prefix;
    this.functions = new TapFunctions(sources, "__torch__." + prefix + "_taps", TapStyle.OBSERVE);
    this.sites = new TapSites(root, this::isTap);
    this.twins = new TwinWriter(sites, prefix, TapStyle.OBSERVE.handed(), this::tap, added);
    this.stops = new StopWriter(sources, root, sites, plan, prefix, added);
  }

  /** Adds the methods; none if no module is called. */
  public void rewrite() {
    for (CallSite site : sites.numbers().keySet()) {
      plan.add(new HookPlan.Site(site.target().path(), site.firstCall(), arguments(site)));
    }
    twins.write(root);
    if (twins.name(root) != null) {
      twins.addMethod(root.source(), entry(prefix + "_inference"));
      twins.addMethod(root.source(), entry(prefix + "_graph"));
      stoppingMethod = stops.write();
    }
  }

  /** The functions that the methods call; complete after the methods have been added. */
  public List<TapFunctions> functions() {
    return List.of(functions, stops.functions());
  }

  public HookPlan plan() {
    plan.forEach(site -> silent.remove(site.path())); // visible at another place
    return new HookPlan(prefix + "_inference", prefix + "_graph", stoppingMethod, plan, silent);
  }

  private boolean isTap(CallSite site) {
    boolean looked = site.isOperator() ? wanted.test(site) : site.isForward();
    if (!looked) {
      return false;
    }
    if (site.isUnclear()) {
      for (ModuleNode candidate : site.candidates()) {
        silent.put(candidate.path(), "which module is called there depends on a branch");
      }
      return false;
    }
    String path = site.target().path();
    Expr type = site.returns();
    if (type == null || functions.forCall(type) == null) {
      String shown = type == null ? "nothing" : Printer.print(type);
      silent.put(path, "it returns " + shown + " in this archive, so there is nothing to see");
      return false;
    }
    return true;
  }

  private List<HookPlan.Argument> arguments(CallSite site) {
    List<HookPlan.Argument> arguments = new ArrayList<>();
    List<Expr.Argument> given = site.call().arguments();
    for (int i = 0; i < given.size(); i++) {
      if (function(site, i) != null) {
        String type = Printer.print(Objects.requireNonNull(site.argumentType(i)));
        boolean tensor = type.equals("Tensor") || type.equals("Optional[Tensor]");
        arguments.add(new HookPlan.Argument(i, tensor && !site.changesArgument(i)));
      }
    }
    return arguments;
  }

  /** The function that records an argument; null if it contains no tensors or is passed by name. */
  private @Nullable String function(CallSite site, int argument) {
    Expr type = site.argumentType(argument);
    return type == null ? null : functions.forArgument(type);
  }

  private void tap(CallSite site, int number, Edits edits) {
    Expr.Call call = site.call();
    for (HookPlan.Argument argument : plan.get(number).arguments()) {
      int at = argument.position();
      Expr value = call.arguments().get(at).value();
      edits.insertBefore(value.start(), function(site, at) + "(");
      String label = number + ">" + at;
      edits.insert(value.end(), handed(label, site.argumentMode(at), 2 * number + 1));
    }
    Expr type = Objects.requireNonNull(site.returns());
    edits.insertBefore(call.start(), functions.forCall(type) + "(");
    edits.insert(call.end(), handed(Integer.toString(number), site.mode(), 2 * number));
  }

  private static String handed(String label, int mode, int wanted) {
    return ", camhook_taps, camhook_labels, \""
        + label
        + "\", "
        + mode
        + ", "
        + WANTED
        + "["
        + wanted
        + "], )";
  }

  private String entry(String name) {
    List<Stmt.Parameter> parameters = root.method().parameters();
    Expr returns = root.method().returns();
    String type = returns == null ? "Tensor" : Printer.print(returns);
    String source = root.source().file().text();
    StringBuilder text = new StringBuilder("def ").append(name).append('(');
    text.append(source, parameters.get(0).start(), parameters.get(0).end());
    text.append(",\n    ").append(WANTED).append(": List[int]");
    text.append(source, parameters.get(0).end(), parameters.get(parameters.size() - 1).end());
    text.append(") -> Tuple[").append(type).append(", List[Tensor], str]:\n");
    text.append("    camhook_taps = annotate(List[Tensor], [])\n");
    text.append("    camhook_labels = annotate(List[str], [])\n");
    text.append("    camhook_result = (")
        .append(root.self())
        .append(").")
        .append(twins.name(root))
        .append('(');
    TapStyle.OBSERVE.handed().keySet().forEach(handed -> text.append(handed).append(", "));
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      text.append(parameter.name()).append(", ");
    }
    text.append(")\n    return (camhook_result, camhook_taps,");
    return text.append(" torch.join(\"\\n\", camhook_labels))").toString();
  }
}
