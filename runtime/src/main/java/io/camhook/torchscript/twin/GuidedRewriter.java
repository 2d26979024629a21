package io.camhook.torchscript.twin;

import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.flow.Rectifier;
import io.camhook.torchscript.source.Calls;
import io.camhook.torchscript.source.Edits;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceFile;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Adds a twin of {@code forward} in which every ReLU ends one graph and begins another. A method or
 * free function gets a twin if it contains or calls a ReLU; existing code does not change. It does
 * not matter here which instance is called, so instances of a class share the twin.
 */
public final class GuidedRewriter {
  private static final String PARAMETER = "camhook_cuts: List[Tensor]";

  /**
   * A ReLU's result, and the leaf with the same values from which the model continues; the leaf
   * itself must not change.
   */
  private static final String CUT =
      """
      def cut(x: Tensor,
        cuts: List[Tensor]) -> Tensor:
        if torch.is_floating_point(x):
          leaf = torch.requires_grad_(torch.clone(torch.detach(x)))
          _0 = torch.append(cuts, x)
          _1 = torch.append(cuts, leaf)
          y = torch.clone(leaf)
        else:
          y = x
        return y
      """;

  /** A method, with its class, or a free function, without. */
  private static final class Code {
    private final SourceFile file;
    private final SourceTree.@Nullable ClassSource type;
    private final Stmt.Function text;

    Code(SourceFile file, SourceTree.@Nullable ClassSource type, Stmt.Function text) {
      this.file = file;
      this.type = type;
      this.text = text;
    }
  }

  /** A call that leads to a ReLU. */
  private record CallEdge(Code callee, @Nullable String castTo) {}

  private final SourceTree sources;
  private final MethodContext root;
  private final String module;
  private final Map<Stmt.Function, Code> codes = new IdentityHashMap<>();
  private final Map<Expr.Call, Set<CallSite>> sites = new IdentityHashMap<>();
  private final Map<Code, Map<Expr.Call, Code>> callees = new HashMap<>();
  private final Map<Code, Boolean> leads = new HashMap<>();
  private final Map<Code, String> twins = new LinkedHashMap<>();
  private final Map<String, List<String>> methods = new LinkedHashMap<>();
  private final StringBuilder functions = new StringBuilder(CUT);
  private final String prefix;

  /**
   * @param prefix prefix of every added name, unused in the archive
   */
  public GuidedRewriter(SourceTree sources, MethodContext root, String prefix) {
    this.sources = sources;
    this.root = root;
    this.prefix = prefix;
    this.module = "__torch__." + prefix + "_guided";
  }

  /** The method that runs the model and returns {@code (result, cuts)}. */
  public String method() {
    return prefix + "_guided";
  }

  /** Qualified name of the module with the added functions. */
  public String module() {
    return module;
  }

  public String functions() {
    return functions.toString();
  }

  /**
   * New text by source entry; empty if forward reaches no ReLU.
   *
   * @throws ArchiveException if which code runs below a call depends on a branch or an interface
   */
  public Map<String, byte[]> rewrite(String where) throws ArchiveException {
    collect(root, new HashSet<>());
    Code forward = code(root);
    if (!leads(forward)) {
      return Map.of();
    }
    write(forward, where);
    add(forward, entry(forward));
    Map<String, byte[]> changed = new LinkedHashMap<>();
    for (SourceFile file : sources.files().values()) {
      String text = SourceTree.withMethods(file, methods);
      if (text != null) {
        changed.put(file.entry(), text.getBytes(StandardCharsets.UTF_8));
      }
    }
    return changed;
  }

  /** Activation functions other than ReLU that forward reaches; known after rewriting. */
  public Set<String> others() {
    Set<String> others = new TreeSet<>();
    for (Code code : callees.keySet()) {
      for (Expr.Call call : Calls.in(code.text)) {
        String other = Rectifier.other(call);
        if (other != null) {
          others.add(other);
        }
      }
    }
    return others;
  }

  // ---- what calls what

  private void collect(MethodContext context, Set<MethodContext> seen) {
    if (seen.add(context)) {
      for (CallSite site : context.sites()) {
        if (!site.isOperator()) {
          sites.computeIfAbsent(site.call(), c -> new LinkedHashSet<>()).add(site);
        }
        site.callees().forEach(callee -> collect(callee, seen));
      }
    }
  }

  private Code code(MethodContext context) {
    SourceTree.ClassSource type = context.source();
    return codes.computeIfAbsent(context.method(), m -> new Code(type.file(), type, m));
  }

  private Map<Expr.Call, Code> callees(Code code) {
    Map<Expr.Call, Code> known = callees.get(code);
    if (known != null) {
      return known;
    }
    Map<Expr.Call, Code> found = new IdentityHashMap<>();
    callees.put(code, found);
    Map<String, String> aliases = aliases(code.text);
    for (Expr.Call call : Calls.in(code.text)) {
      Set<CallSite> here = sites.get(call);
      if (here != null) {
        found.put(call, code(here.iterator().next().callee()));
        continue;
      }
      String name = Literals.dotted(call.function());
      SourceTree.FunctionSource function =
          name == null ? null : sources.function(aliases.getOrDefault(name, name));
      if (function != null) {
        Stmt.Function text = function.definition();
        found.put(call, codes.computeIfAbsent(text, t -> new Code(function.file(), null, t)));
      }
    }
    return found;
  }

  /** Names of functions that variables stand for: {@code _0 = __torch__.f}. */
  private static Map<String, String> aliases(Stmt.Function function) {
    Map<String, String> aliases = new HashMap<>();
    for (Stmt statement : function.body()) {
      if (statement instanceof Stmt.Assign assign
          && assign.targets().get(0) instanceof Expr.Name name
          && assign.value() instanceof Expr.Attribute value) {
        String dotted = Literals.dotted(value);
        if (dotted != null) {
          aliases.put(name.id(), dotted);
        }
      }
    }
    return aliases;
  }

  private boolean leads(Code code) {
    Boolean known = leads.get(code);
    if (known == null) {
      leads.put(code, false); // recursion leads to nothing new
      known = Calls.in(code.text).stream().anyMatch(Rectifier::isRelu);
      for (Code callee : callees(code).values()) {
        known |= leads(callee);
      }
      leads.put(code, known);
    }
    return known;
  }

  private @Nullable CallEdge way(Code code, Expr.Call call, String where) throws ArchiveException {
    Set<CallSite> here = sites.getOrDefault(call, Set.of());
    Set<Code> possible = new LinkedHashSet<>();
    boolean cast = false;
    for (CallSite site : here) {
      site.callees().forEach(callee -> possible.add(code(callee)));
      cast |= site.isThroughInterface();
    }
    Code callee = callees(code).get(call);
    if (callee == null || (possible.stream().noneMatch(this::leads) && !leads(callee))) {
      return null;
    }
    if (possible.size() > 1) {
      throw new ArchiveException(
          where
              + ": which code runs at "
              + Printer.print(call.function())
              + " depends on a branch or an interface, so its ReLUs cannot be guided");
    }
    return new CallEdge(callee, cast ? here.iterator().next().target().type() : null);
  }

  // ---- twins

  private String twin(Code code) {
    return twins.computeIfAbsent(
        code, c -> prefix + "_guided_" + twins.size() + "_" + code.text.name());
  }

  private void write(Code code, String where) throws ArchiveException {
    if (twins.containsKey(code)) {
      return;
    }
    Stmt.Function text = code.text;
    Edits edits = new Edits();
    edits.replace(text.nameStart(), text.nameStart() + text.name().length(), twin(code));
    if (code.type == null) {
      int open = code.file.text().indexOf('(', text.nameStart()) + 1;
      edits.insert(open, PARAMETER + (text.parameters().isEmpty() ? "" : ",\n    "));
    } else {
      edits.insert(text.parameters().get(0).end(), ",\n    " + PARAMETER);
    }
    for (Expr.Call call : Calls.in(text)) {
      if (Rectifier.isRelu(call)) {
        edits.insertBefore(call.start(), module + ".cut(");
        edits.insert(call.end(), ", camhook_cuts, )");
        continue;
      }
      CallEdge way = way(code, call, where);
      if (way != null) {
        write(way.callee(), where);
        redirect(call, way, edits);
      }
    }
    add(code, edits.apply(code.file.text(), text.start(), text.end()));
  }

  private void redirect(Expr.Call call, CallEdge way, Edits edits) {
    Expr function = call.function();
    String twin = twin(way.callee());
    if (way.callee().type == null) {
      edits.replace(function.start(), function.end(), module + "." + twin);
    } else {
      Expr.Attribute attribute = (Expr.Attribute) function;
      edits.replace(function.end() - attribute.name().length(), function.end(), twin);
      if (way.castTo() != null) {
        Expr owner = attribute.value();
        edits.insertBefore(owner.start(), "unchecked_cast(" + way.castTo() + ", ");
        edits.insert(owner.end(), ")");
      }
    }
    edits.replace(function.end(), function.end() + 1, "(camhook_cuts, ");
  }

  private void add(Code code, String text) {
    if (code.type == null) {
      functions.append(text).append('\n');
    } else {
      methods.computeIfAbsent(code.type.qualifiedName(), k -> new ArrayList<>()).add("  " + text);
    }
  }

  private String entry(Code forward) {
    List<Stmt.Parameter> parameters = forward.text.parameters();
    String text = forward.file.text();
    Expr returns = forward.text.returns();
    StringBuilder entry = new StringBuilder("def ").append(method()).append('(');
    entry.append(text, parameters.get(0).start(), parameters.get(parameters.size() - 1).end());
    entry.append(") -> Tuple[").append(returns == null ? "Tensor" : Printer.print(returns));
    entry.append(", List[Tensor]]:\n    camhook_cuts = annotate(List[Tensor], [])\n");
    entry.append("    camhook_result = (").append(parameters.get(0).name()).append(").");
    entry.append(twin(forward)).append("(camhook_cuts, ");
    parameters.subList(1, parameters.size()).forEach(p -> entry.append(p.name()).append(", "));
    return entry.append(")\n    return (camhook_result, camhook_cuts)").toString();
  }
}
