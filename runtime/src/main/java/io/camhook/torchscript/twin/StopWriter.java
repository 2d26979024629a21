package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Adds a twin of {@code forward} that stops before and after each hooked module call. Hooks run
 * while it is stopped, and it continues with the values they return. So a pass with replacing hooks
 * runs every module exactly as often as {@code forward} does, whatever path the data takes: around
 * the module, through a loop, or through the module several times.
 */
final class StopWriter {
  private static final Pattern FORK = Pattern.compile("[^\\w.]fork\\(");

  private final SourceTree sources;
  private final MethodContext root;
  private final String method;
  private final TapSites sites;
  private final List<HookPlan.Site> plan;
  private final TapFunctions functions;
  private final TwinWriter twins;

  /**
   * @param sites the calls to stop at; {@code plan} describes each
   * @param prefix prefix of every added name, unused in the archive
   * @param added takes the methods, by qualified name of their class
   */
  StopWriter(
      SourceTree sources,
      MethodContext root,
      TapSites sites,
      List<HookPlan.Site> plan,
      String prefix,
      Map<String, List<String>> added) {
    this.sources = sources;
    this.root = root;
    this.method = prefix + "_stopping";
    this.sites = sites;
    this.plan = plan;
    this.functions = new TapFunctions(sources, "__torch__." + prefix + "_stops", TapStyle.STOP);
    this.twins =
        new TwinWriter(sites, prefix + "_stop", TapStyle.STOP.handed(), this::stopAround, added);
  }

  /**
   * Adds the methods.
   *
   * @return the one to run, which takes the arguments of {@link TapStyle#STOP} before the inputs;
   *     null if no module is called, or some may be called at the same time
   */
  @Nullable String write() {
    if (sources.files().values().stream().anyMatch(file -> FORK.matcher(file.text()).find())) {
      return null;
    }
    twins.write(root);
    String twin = twins.name(root);
    if (twin == null) {
      return null;
    }
    twins.addMethod(root.source(), entry(twin));
    return method;
  }

  /** The functions that the methods call; complete after the methods have been added. */
  TapFunctions functions() {
    return functions;
  }

  private void stopAround(CallSite site, int number, Edits edits) {
    Expr.Call call = site.call();
    List<HookPlan.Argument> arguments = plan.get(number).arguments();
    if (!arguments.isEmpty()) {
      int first = arguments.get(0).position();
      int last = arguments.get(arguments.size() - 1).position();
      List<Expr> types = new ArrayList<>();
      for (int i = first; i <= last; i++) {
        types.add(Objects.requireNonNull(site.argumentType(i)));
      }
      boolean together = first < last;
      String function = functions.forStop(types, together);
      List<Expr.Argument> given = call.arguments();
      edits.insertBefore(given.get(first).value().start(), (together ? "*" : "") + function + "(");
      edits.insert(given.get(last).value().end(), handed(2 * number + 1));
    }
    Expr type = Objects.requireNonNull(site.returns());
    edits.insertBefore(call.start(), functions.forStop(List.of(type), false) + "(");
    edits.insert(call.end(), handed(2 * number));
  }

  /** Stops are numbered from 1; {@link HookPlan#wanted} counts from 0. */
  private static String handed(int wanted) {
    return ", camhook_taps, camhook_labels, camhook_answers, camhook_door, "
        + (wanted + 1)
        + ", camhook_wanted["
        + wanted
        + "], )";
  }

  private String entry(String twin) {
    List<Stmt.Parameter> parameters = root.method().parameters();
    Expr returns = root.method().returns();
    String source = root.source().file().text();
    StringBuilder text = new StringBuilder("def ").append(method).append('(');
    text.append(source, parameters.get(0).start(), parameters.get(0).end());
    text.append(twins.parameters());
    text.append(source, parameters.get(0).end(), parameters.get(parameters.size() - 1).end());
    text.append(") -> ").append(returns == null ? "Tensor" : Printer.print(returns)).append(":\n");
    text.append("    return (self).").append(twin).append('(').append(twins.arguments());
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      text.append(parameter.name()).append(", ");
    }
    return text.append(')').toString();
  }
}
