package io.camhook.torchscript.twin;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.PythonNames;
import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.GlobalAverage;
import io.camhook.torchscript.flow.LinearHead;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.flow.TapMode;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds instrumented twins of the methods along the captured paths. Existing methods do not change
 * (see {@link TwinWriter}).
 */
public final class TapRewriter {
  private static final String CLASSES = ",\n    camhook_classes: List[int]";

  private final SourceTree sources;
  private final MethodContext root;
  private final Set<ModuleNode> hooked;
  private final @Nullable LinearHead linear;
  private final String prefix;
  private final CallPaths ways;
  private final RootMethod entry;
  private final TapFunctions functions;
  private final List<TapPlan.Tap> taps = new ArrayList<>();
  private final Set<String> notices = new LinkedHashSet<>();
  private final TapSites sites;
  private final TwinWriter twins;
  private final Map<String, String> resumeMethods = new LinkedHashMap<>();
  private final Map<String, String> replaceMethods = new LinkedHashMap<>();
  private @Nullable String headMethod;
  private @Nullable String averagedMethod;
  private @Nullable String averagedWeight;
  private final @Nullable String classifier;

  /**
   * @param hooked the modules to record
   * @param classifier name of the weight of the last linear layer, if there is one
   * @param prefix prefix of every added name, unused in the archive
   * @param added takes the methods, by qualified name of their class
   */
  public TapRewriter(
      SourceTree sources,
      MethodContext root,
      Set<ModuleNode> hooked,
      @Nullable String classifier,
      String prefix,
      Map<String, List<String>> added) {
    this.sources = sources;
    this.root = root;
    this.hooked = hooked;
    this.prefix = prefix;
    this.classifier = classifier;
    this.ways = new CallPaths(root);
    this.linear =
        classifier == null
            ? LinearHead.ofOperator(root, ways)
            : LinearHead.of(sources, root, ways, classifier);
    this.functions = new TapFunctions(sources, "__torch__." + prefix + "_taps", TapStyle.CUT);
    this.entry = new RootMethod(root, functions.module() + ".own");
    this.sites = new TapSites(root, this::isTap);
    this.twins = new TwinWriter(sites, prefix, TapStyle.CUT.handed(), this::tap, added);
  }

  /** Adds the methods. */
  public void rewrite() {
    sites.numbers().forEach((site, number) -> taps.add(tap(number, site)));
    if (hooked.contains(root.key().self())) {
      String type = PythonNames.python(root.key().self().type());
      taps.add(new TapPlan.Tap(taps.size(), ".", type, 0));
    }
    twins.write(root);
    addRootMethods();
    addResumeMethods();
  }

  /** The functions that the methods call; complete after the methods have been added. */
  public TapFunctions functions() {
    return functions;
  }

  public TapPlan plan() {
    return new TapPlan(
        prefix + "_forward",
        headMethod,
        isDifferentiated() ? prefix + "_gradients" : null,
        averagedMethod,
        averagedWeight,
        prefix + "_record",
        prefix + "_until",
        taps,
        resumeMethods,
        replaceMethods,
        List.copyOf(notices));
  }

  // ---- which calls are taps

  private static TapPlan.Tap tap(int number, CallSite site) {
    ModuleNode node = site.target();
    String type = PythonNames.python(node.type());
    return new TapPlan.Tap(number, node.path(), type, site.firstCall());
  }

  private boolean isTap(CallSite site) {
    boolean recordable = site.isForward() || site.isOperator();
    if (!recordable || site.candidates().stream().noneMatch(hooked::contains)) {
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
    Expr type = site.returns();
    if (type == null || functions.forCall(type) == null) {
      String shown = type == null ? "nothing" : Printer.print(type);
      notices.add(path + ": returns " + shown + " in this archive, so there is nothing to record");
      return false;
    }
    return true;
  }

  private void tap(CallSite site, int number, Edits edits) {
    Expr.Call call = site.call();
    Expr type = Objects.requireNonNull(site.returns());
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
    if (isDifferentiated()) {
      twins.addMethod(root.source(), gradientEntry(prefix + "_gradients"));
      GlobalAverage average = globalAverage();
      if (average != null) {
        averagedMethod = prefix + "_averaged";
        averagedWeight = average.convolution() == null ? classifierName() : null;
        twins.addMethod(root.source(), averagedEntry(averagedMethod, average));
      }
    }
    twins.addMethod(root.source(), untilEntry());
  }

  private boolean isDifferentiated() {
    return entry.returnsTensor() && !taps.isEmpty();
  }

  private String entry(String name, boolean grad) {
    String returns = "Tuple[" + entry.returns() + ", List[Tensor], str]";
    StringBuilder text = entry.takingInputs(name, "", returns);
    String result = run(text, callRoot(grad), grad);
    text.append("    return (").append(result);
    return text.append(", camhook_taps, torch.join(\"\\n\", camhook_labels))").toString();
  }

  private String gradientEntry(String name) {
    GradientSplit split = GradientSplit.of(prefix, ways, sites, linearBehindTaps(), new Inside());
    split.methods().forEach(m -> twins.addMethod(m.type(), m.text()));
    headMethod = split.head();
    String type = "Tuple[List[Tensor], str]";
    StringBuilder text =
        headMethod == null
            ? entry.takingInputs(name, CLASSES, type)
            : entry.taking("camhook_x", name, CLASSES, type);
    String inputs = headMethod == null ? entry.inputs() : "camhook_in_camhook_x, ";
    String function = functions.gradients();
    String call =
        split.body() == null
            ? callRoot(true)
            : "("
                + root.self()
                + ")."
                + split.body()
                + "(camhook_taps, camhook_labels, True, "
                + inputs
                + ")";
    String result = "camhook_result";
    if (split.endsBeforeLinear() && linear != null) {
      text.append("    camhook_features = ").append(call).append('\n');
      String features = functions.module() + ".before(camhook_features, " + linear.weight() + ", )";
      text.append("    camhook_result = ").append(linear.of(features)).append('\n');
    } else {
      result = run(text, call, true);
    }
    String weight = linear == null ? null : linear.weight();
    return text.append(GradientFunction.call(function, result, split.endsBeforeLinear(), weight))
        .toString();
  }

  private @Nullable String classifierName() {
    if (classifier != null || linear == null || linear.way() == null) {
      return classifier;
    }
    ModuleNode value = linear.way().get(0).target();
    if (value.parameters().containsKey("weight")) {
      return value.path() + ".weight";
    }
    String attribute = linear.weight();
    return attribute.matches("self(\\.\\w+)+") ? attribute.substring("self.".length()) : null;
  }

  /** Set if the gradient is known without autograd. */
  private @Nullable GlobalAverage globalAverage() {
    List<CallSite> end = linear == null ? List.of() : linearBehindTaps();
    if (end == null || taps.size() != 1 || sites.numbers().size() != 1) {
      return null;
    }
    List<CallSite> way = ways.to(sites.numbers().keySet().iterator().next());
    return way == null ? null : GlobalAverage.of(sources, root, way, end);
  }

  private String averagedEntry(String name, GlobalAverage average) {
    StringBuilder text = entry.takingInputsAsTheyAre(name, CLASSES, "List[Tensor]");
    String call = callRoot(false, entry.inputsAsTheyAre());
    String weight = linear == null ? null : linear.weight();
    return text.append(GradientFunction.averaged(functions.module(), call, average, weight))
        .toString();
  }

  /** The calls to the linear layer that the model ends with, unless a tap comes after its start. */
  private @Nullable List<CallSite> linearBehindTaps() {
    List<CallSite> way = linear == null ? null : linear.way();
    boolean tapped =
        hooked.contains(root.key().self())
            || (way != null && way.stream().anyMatch(call -> sites.number(call) != null));
    return tapped ? null : way;
  }

  /** Taps in the parts of a pass with gradients. */
  private final class Inside implements SpanWriter.Inside {
    @Override
    public String parameters() {
      return twins.parameters();
    }

    @Override
    public String arguments() {
      return twins.arguments();
    }

    @Override
    public void edit(CallSite call, Edits edits) {
      twins.editCall(call, edits, false);
    }

    @Override
    public void around(CallSite call, Edits edits) {
      Integer number = sites.number(call);
      if (number != null) {
        tap(call, number, edits);
      }
    }

    @Override
    public String start(CallSite call) {
      Integer number = sites.number(call);
      int mode = call.mode() & TapMode.CHANGED_LATER; // no other variable holds the value
      return number == null
          ? "camhook_x"
          : functions.module() + ".tensor(camhook_x" + tapArguments(number, mode);
    }
  }

  /** Writes the call that runs the model; returns the name of its result. */
  private String run(StringBuilder text, String call, boolean grad) {
    Expr returns = root.method().returns();
    text.append("    camhook_result = ").append(call).append('\n');
    String rootTap =
        hooked.contains(root.key().self()) && returns != null ? functions.forCall(returns) : null;
    if (rootTap != null) {
      text.append("    camhook_grad = ").append(grad ? "True" : "False").append('\n');
      text.append("    camhook_output = ").append(rootTap).append("(camhook_result");
      text.append(tapArguments(taps.size() - 1, TapMode.SHARED_WITH_STATE)).append('\n');
      return "camhook_output";
    }
    return "camhook_result";
  }

  private String callRoot(boolean grad) {
    return callRoot(grad, entry.inputs());
  }

  private String callRoot(boolean grad, String inputs) {
    String twin = twins.name(root);
    StringBuilder call = new StringBuilder("(" + root.self() + ").");
    call.append(twin == null ? root.method().name() : twin).append('(');
    if (twin != null) {
      call.append("camhook_taps, camhook_labels, ").append(grad ? "True" : "False").append(", ");
    }
    return call.append(inputs).append(')').toString();
  }

  private void addResumeMethods() {
    ResumeWriter writer = new ResumeWriter(ways, prefix);
    for (Map.Entry<CallSite, Integer> tap : sites.numbers().entrySet()) {
      Map<String, SpanWriter.Method> methods = writer.resume(tap.getKey(), tap.getValue());
      if (methods != null) {
        methods.values().forEach(m -> twins.addMethod(m.type(), m.text()));
        resumeMethods.put(tap.getKey().target().path(), methods.keySet().iterator().next());
      } else {
        Map<String, SpanWriter.Method> whole = writer.replace(tap.getKey(), tap.getValue());
        if (whole != null) {
          whole.values().forEach(m -> twins.addMethod(m.type(), m.text()));
          replaceMethods.put(tap.getKey().target().path(), whole.keySet().iterator().next());
        }
      }
    }
  }

  private String untilEntry() {
    StringBuilder text = entry.takingInputs(prefix + "_until", "", "Tuple[List[Tensor], str]");
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
   * Adds a copy of a twin that ends after its last tap.
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
    boolean simple = CallPaths.statementOf(method.body(), lastSite.call()) == last;
    boolean deeper = simple && sites.number(lastSite) == null && !isRepeated(lastSite.callee());
    twins.editCalls(context, edits, deeper ? lastSite : null);
    int lineStart = text.lastIndexOf('\n', end.start()) + 1;
    StringBuilder out = new StringBuilder(edits.apply(text, method.start(), lineStart));
    if (simple) {
      for (CallSite site : inLast) {
        boolean inner = inLast.stream().anyMatch(o -> o != site && o.holds(site));
        if (site == lastSite || (!inner && !site.holds(lastSite))) {
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

  /**
   * Whether a method runs from several places, so that the last tap in it is not the last of the
   * pass.
   */
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
}
