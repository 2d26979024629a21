package io.camhook.torchscript;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds instrumented twins of the methods along the captured paths. No method that was there changes
 * (see {@link TwinWriter}).
 */
final class TapRewriter {
  private final SourceTree sources;
  private final MethodContext root;
  private final Set<ModuleNode> hooked;
  private final @Nullable String classifier;
  private final String prefix;
  private final TapFunctions functions;
  private final List<TapPlan.Tap> taps = new ArrayList<>();
  private final Set<String> notices = new LinkedHashSet<>();
  private final TapSites sites;
  private final TwinWriter twins;
  private final Map<String, String> resumeMethods = new LinkedHashMap<>();
  private final Map<String, String> replaceMethods = new LinkedHashMap<>();

  /**
   * @param hooked the modules to record
   * @param classifier name of the weight of the last linear layer, if there is one
   * @param prefix begins every added name; nothing in the archive does
   * @param added takes the methods, by qualified name of their class
   */
  TapRewriter(
      SourceTree sources,
      MethodContext root,
      Set<ModuleNode> hooked,
      @Nullable String classifier,
      String prefix,
      Map<String, List<String>> added) {
    this.sources = sources;
    this.root = root;
    this.hooked = hooked;
    this.classifier = classifier;
    this.prefix = prefix;
    this.functions = new TapFunctions(sources, "__torch__." + prefix + "_taps", TapStyle.CUT);
    this.sites = new TapSites(root, this::isTap);
    this.twins = new TwinWriter(sites, prefix, TapStyle.CUT.handed(), this::tap, added);
  }

  /** Adds the methods. */
  void rewrite() {
    sites.numbers().forEach((site, number) -> taps.add(tap(number, site.target())));
    if (hooked.contains(root.key().self())) {
      taps.add(new TapPlan.Tap(taps.size(), ".", ModuleNames.python(root.key().self().type())));
    }
    twins.write(root);
    addRootMethods();
    addResumeMethods();
  }

  /** What the methods call, complete when they have been added. */
  TapFunctions functions() {
    return functions;
  }

  TapPlan plan() {
    return new TapPlan(
        prefix + "_forward",
        returnsTensor() ? prefix + "_gradients" : null,
        prefix + "_record",
        prefix + "_until",
        taps,
        resumeMethods,
        replaceMethods,
        List.copyOf(notices));
  }

  // ---- which calls are taps

  private static TapPlan.Tap tap(int number, ModuleNode node) {
    return new TapPlan.Tap(number, node.path(), ModuleNames.python(node.type()));
  }

  private boolean isTap(CallSite site) {
    if (!site.isForward() || site.candidates().stream().noneMatch(hooked::contains)) {
      return false;
    }
    if (site.isUnclear()) {
      for (ModuleNode candidate : site.candidates()) {
        if (hooked.contains(candidate)) {
          notices.add(
              candidate.path()
                  + ": which module is called depends on a branch; not recorded there");
        }
      }
      return false;
    }
    String path = site.target().path();
    Expr type = site.callee().method().returns();
    if (type == null || functions.forCall(type) == null) {
      String shown = type == null ? "nothing" : Printer.print(type);
      notices.add(path + ": returns " + shown + " in this archive, so there is nothing to record");
      return false;
    }
    return true;
  }

  private void tap(CallSite site, int number, Edits edits) {
    Expr.Call call = site.call();
    Expr type = Objects.requireNonNull(site.callee().method().returns());
    edits.insertBefore(call.start(), functions.forCall(type) + "(");
    edits.insert(call.end(), tapArguments(number, site.mode()));
  }

  private static String tapArguments(int number, int mode) {
    return ", camhook_taps, camhook_labels, \"" + number + "\", " + mode + ", camhook_grad, )";
  }

  // ---- entry points on the root

  private void addRootMethods() {
    twins.addMethod(root.source(), entry(prefix + "_forward", true));
    twins.addMethod(root.source(), entry(prefix + "_record", false));
    if (returnsTensor()) {
      twins.addMethod(root.source(), gradientEntry(prefix + "_gradients"));
    }
    twins.addMethod(root.source(), untilEntry());
  }

  private String returns() {
    Expr returns = root.method().returns();
    return returns == null ? "Tensor" : Printer.print(returns);
  }

  private boolean returnsTensor() {
    return root.method().returns() != null && returns().equals("Tensor");
  }

  private String entry(String name, boolean grad) {
    StringBuilder text = head(name, "", "Tuple[" + returns() + ", List[Tensor], str]");
    String result = run(text, grad);
    text.append("    return (").append(result);
    return text.append(", camhook_taps, torch.join(\"\\n\", camhook_labels))").toString();
  }

  private String gradientEntry(String name) {
    StringBuilder text =
        head(name, ",\n    camhook_classes: List[int]", "Tuple[List[Tensor], str]");
    String result = run(text, true);
    String weight = classifier == null ? null : attribute(classifier);
    return text.append(GradientFunction.call(functions.gradients(), result, weight)).toString();
  }

  /**
   * {@code self.classifier."1".weight} as an expression: names that are none go by getattr. Null
   * where the code does not say which class one of the modules on the way has.
   */
  private @Nullable String attribute(String name) {
    String owner = "self";
    SourceTree.ClassSource type = root.source();
    for (String part : name.split("\\.", -1)) {
      Expr declared = type == null || type.isInterface() ? null : type.attributes().get(part);
      if (declared == null) {
        return null;
      }
      String next = Literals.dotted(declared);
      type = next == null ? null : sources.type(next);
      boolean plain = Character.isJavaIdentifierStart(part.charAt(0));
      owner = plain ? "(" + owner + ")." + part : "getattr(" + owner + ", \"" + part + "\")";
    }
    return owner;
  }

  /** Runs the model; gives the name of its result. */
  private String run(StringBuilder text, boolean grad) {
    Expr returns = root.method().returns();
    text.append("    camhook_result = ").append(callRoot(grad)).append('\n');
    String rootTap =
        hooked.contains(root.key().self()) && returns != null ? functions.forCall(returns) : null;
    if (rootTap != null) {
      text.append("    camhook_grad = ").append(grad ? "True" : "False").append('\n');
      text.append("    camhook_output = ").append(rootTap).append("(camhook_result");
      text.append(tapArguments(taps.size() - 1, TapFunctions.SHARED_WITH_STATE)).append('\n');
      return "camhook_output";
    }
    return "camhook_result";
  }

  private String callRoot(boolean grad) {
    String twin = twins.name(root);
    StringBuilder call = new StringBuilder("(self).");
    call.append(twin == null ? root.method().name() : twin).append('(');
    if (twin != null) {
      call.append("camhook_taps, camhook_labels, ").append(grad ? "True" : "False").append(", ");
    }
    appendInputs(call);
    return call.append(')').toString();
  }

  private void appendInputs(StringBuilder call) {
    List<Stmt.Parameter> parameters = root.method().parameters();
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      call.append(isTensor(parameter) ? "camhook_in_" : "").append(parameter.name()).append(", ");
    }
  }

  private static boolean isTensor(Stmt.Parameter parameter) {
    return parameter.type() != null && Printer.print(parameter.type()).equals("Tensor");
  }

  /**
   * Definition line, the lists, and inputs that no gradient flag can reach the caller through.
   *
   * @param more parameters before the inputs
   */
  private StringBuilder head(String name, String more, String returns) {
    Stmt.Function forward = root.method();
    List<Stmt.Parameter> parameters = forward.parameters();
    String text = root.source().file().text();
    Stmt.Parameter self = parameters.get(0);
    int to = parameters.get(parameters.size() - 1).end();
    StringBuilder head = new StringBuilder("def ").append(name).append('(');
    head.append(text, self.start(), self.end()).append(more).append(text, self.end(), to);
    head.append(") -> ").append(returns).append(":\n");
    head.append("    camhook_taps = annotate(List[Tensor], [])\n");
    head.append("    camhook_labels = annotate(List[str], [])\n");
    for (Stmt.Parameter parameter : parameters.subList(1, parameters.size())) {
      if (isTensor(parameter)) {
        head.append("    camhook_in_").append(parameter.name()).append(" = ");
        head.append(functions.module()).append(".own(").append(parameter.name()).append(", )\n");
      }
    }
    return head;
  }

  private void addResumeMethods() {
    ResumeWriter writer = new ResumeWriter(root, prefix);
    for (Map.Entry<CallSite, Integer> tap : sites.numbers().entrySet()) {
      Map<String, ResumeWriter.Method> methods = writer.resume(tap.getKey(), tap.getValue());
      if (methods != null) {
        methods.values().forEach(m -> twins.addMethod(m.type(), m.text()));
        resumeMethods.put(tap.getKey().target().path(), methods.keySet().iterator().next());
      } else {
        Map<String, ResumeWriter.Method> whole = writer.replace(tap.getKey(), tap.getValue());
        if (whole != null) {
          whole.values().forEach(m -> twins.addMethod(m.type(), m.text()));
          replaceMethods.put(tap.getKey().target().path(), whole.keySet().iterator().next());
        }
      }
    }
  }

  private String untilEntry() {
    StringBuilder text = head(prefix + "_until", "", "Tuple[List[Tensor], str]");
    boolean whole = hooked.contains(root.key().self());
    String call = callRoot(false);
    String twin = twins.name(root);
    if (twin != null && !whole) {
      String truncated = truncate(root);
      call = call.replace("." + twin + "(", "." + truncated + "(");
    }
    text.append("    camhook_result = ").append(call).append('\n');
    return text.append("    return (camhook_taps, torch.join(\"\\n\", camhook_labels))").toString();
  }

  /**
   * Adds a copy of a twin that ends behind its last tap.
   *
   * @return its name
   */
  private String truncate(MethodContext context) {
    Stmt.Function method = context.method();
    List<CallSite> tapped =
        context.sites().stream().filter(s -> sites.number(s) != null || sites.isWay(s)).toList();
    int last = 0;
    for (int i = 0; i < method.body().size(); i++) {
      Stmt statement = method.body().get(i);
      if (tapped.stream().anyMatch(s -> contains(statement, s.call()))) {
        last = i;
      }
    }
    Stmt end = method.body().get(last);
    List<CallSite> inLast = tapped.stream().filter(s -> contains(end, s.call())).toList();
    CallSite lastSite = inLast.get(inLast.size() - 1);
    String name = twins.name(context) + "_until";
    String text = context.source().file().text();
    Edits edits = twins.begin(method, name);
    if (method.returns() != null) {
      edits.replace(method.returns().start(), method.returns().end(), "NoneType");
    }
    boolean simple = ResumeWriter.statementOf(method.body(), lastSite.call()) == last;
    boolean deeper = simple && sites.number(lastSite) == null && !isRepeated(lastSite.callee());
    twins.editCalls(context, edits, deeper ? lastSite : null);
    int lineStart = text.lastIndexOf('\n', end.start()) + 1;
    StringBuilder out = new StringBuilder(edits.apply(text, method.start(), lineStart));
    if (simple) {
      for (CallSite site : inLast) {
        boolean inner = inLast.stream().anyMatch(o -> o != site && holds(o, site));
        if (site == lastSite || (!inner && !holds(site, lastSite))) {
          out.append("    camhook_")
              .append(sites.numbers().getOrDefault(site, taps.size()))
              .append(" = ");
          out.append(edits.apply(text, site.call().start(), site.call().end())).append('\n');
        }
      }
    } else {
      out.append(edits.apply(text, lineStart, end.end())).append('\n');
    }
    twins.addMethod(context.source(), out.append("    return None").toString());
    if (deeper) {
      truncate(lastSite.callee());
    }
    return name;
  }

  /** Whether a method is run from several places, so that what is last in it is not last at all. */
  private boolean isRepeated(MethodContext context) {
    return twins.methods().stream()
            .flatMap(c -> c.sites().stream())
            .filter(s -> s.callees().contains(context))
            .count()
        != 1;
  }

  private static boolean contains(Stmt statement, Expr.Call call) {
    return statement.start() <= call.start() && call.end() <= statement.end();
  }

  private static boolean holds(CallSite outer, CallSite inner) {
    return outer.call().start() <= inner.call().start() && inner.call().end() <= outer.call().end();
  }
}
