package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.ModuleTree;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows the root's {@code forward} through every method it can reach, without running anything,
 * and records which module is called where, in which order, and which values may share memory. It
 * follows both branches of an {@code if}, and a loop body twice, so that the second visit sees the
 * effects of the first.
 */
public final class ProgramWalker {
  private static final int MAX_STEPS = 5_000_000;
  private static final int MAX_CALL_DEPTH = 300;

  private final SourceTree sources;
  private final ModuleTree modules;
  private final Map<MethodContext.Key, MethodContext> contexts = new LinkedHashMap<>();
  private final Map<Integer, Set<CallSite>> recorded = new HashMap<>();
  private final Map<Integer, Set<Given>> given = new HashMap<>();
  private final Map<Stmt.Function, Map<String, Integer>> lastReads = new IdentityHashMap<>();
  private final Map<ModuleNode, Map<String, Integer>> operators = new HashMap<>();
  private final Map<CallSite, Integer> numbers = new IdentityHashMap<>();
  private final Deque<LocalVariables> frames = new ArrayDeque<>();
  private final boolean operatorFlow;
  private final ExprWalker expressions;
  private final OperatorTrace trace = new OperatorTrace();
  private int steps;
  private final Set<Integer> inputs = new HashSet<>();
  private int origins = Value.STATE;

  /** An argument of a call. */
  private record Given(CallSite site, int position) {}

  private ProgramWalker(SourceTree sources, ModuleTree modules, boolean operatorFlow) {
    this.sources = sources;
    this.modules = modules;
    this.operatorFlow = operatorFlow;
    this.expressions = new ExprWalker(this, sources);
  }

  /**
   * The context of the root's {@code forward}; everything it calls hangs below.
   *
   * @throws ArchiveException if there is no forward, or the program is too large to follow
   */
  public static MethodContext walk(String where, SourceTree sources, ModuleTree modules)
      throws ArchiveException {
    return walked(where, sources, modules, modules.root(), false).context;
  }

  /**
   * As {@link #walk}, and flows hold the calls of operators, too; for code that calls no modules.
   */
  public static MethodContext walkOperators(String where, SourceTree sources, ModuleTree modules)
      throws ArchiveException {
    return walked(where, sources, modules, modules.root(), true).context;
  }

  /**
   * Which operators the {@code forward} of a module runs, one after the other.
   *
   * @throws ArchiveException if there is no forward, or the program is too large to follow
   */
  static OperatorTrace trace(
      String where, SourceTree sources, ModuleTree modules, ModuleNode module)
      throws ArchiveException {
    return walked(where, sources, modules, module, false).trace;
  }

  private record Walked(MethodContext context, OperatorTrace trace) {}

  private static Walked walked(
      String where, SourceTree sources, ModuleTree modules, ModuleNode root, boolean operators)
      throws ArchiveException {
    SourceTree.ClassSource source = sources.type(root.type());
    Stmt.Function forward = source == null ? null : source.method("forward");
    if (source == null || forward == null) {
      throw new ArchiveException(
          where + ": the root class " + root.type() + " has no method forward to hook into");
    }
    ProgramWalker walker = new ProgramWalker(sources, modules, operators);
    MethodContext context = walker.context(root, source, forward, List.of());
    List<Value> inputs = new ArrayList<>();
    for (Stmt.Parameter parameter : forward.parameters().subList(1, forward.parameters().size())) {
      boolean tensor = parameter.type() != null && Printer.print(parameter.type()).equals("Tensor");
      inputs.add(tensor ? walker.input() : walker.state());
    }
    try {
      Value result = walker.run(context, inputs);
      walker.trace.module(root, 0, result);
      context.returned(result, walker.numbers);
    } catch (WalkLimitException e) {
      throw new ArchiveException(where + ": the code is too large to follow: " + e.getMessage(), e);
    }
    return new Walked(context, walker.trace);
  }

  /** Thrown when the walk would not end in reasonable time. */
  static final class WalkLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WalkLimitException(String message) {
      super(message);
    }
  }

  ModuleTree modules() {
    return modules;
  }

  OperatorTrace trace() {
    return trace;
  }

  private Value input() {
    Value.Data input = fresh(Layout.CHANNELS_FIRST).as(OperatorResults.TENSOR);
    inputs.addAll(input.origins());
    return input;
  }

  Value.Data fresh(Layout layout) {
    origins++;
    return new Value.Data(Set.of(origins), layout);
  }

  Value.Data state() {
    return new Value.Data(Set.of(Value.STATE), Layout.OTHER);
  }

  void step() {
    if (++steps > MAX_STEPS) {
      throw new WalkLimitException("more than " + MAX_STEPS + " steps");
    }
  }

  /** Something changes these values in place: taps that recorded them must keep a copy. */
  void changed(Value value) {
    for (Integer origin : value.allOrigins()) {
      Set<CallSite> sites = recorded.remove(origin);
      if (sites != null) {
        sites.forEach(CallSite::markChangedLater);
      }
      Set<Given> arguments = given.remove(origin);
      if (arguments != null) {
        arguments.forEach(a -> a.site().markArgumentChanged(a.position()));
      }
    }
  }

  /**
   * Other values are written into the target: every value that shares its memory depends on both.
   */
  void mixedIn(Value target, Flow flow) {
    if (flow == Flow.EMPTY) {
      return;
    }
    if (target instanceof Value.Data data) {
      data.made(flow);
    }
    Set<Integer> shared = target.allOrigins();
    for (LocalVariables frame : frames) {
      for (Value value : frame.variables().values()) {
        if (value instanceof Value.Data data
            && data != target
            && data.origins().stream().anyMatch(o -> o != Value.STATE && shared.contains(o))) {
          data.made(flow);
        }
      }
    }
  }

  MethodContext context(
      ModuleNode self,
      SourceTree.ClassSource source,
      Stmt.Function method,
      List<@Nullable ModuleNode> handedIn) {
    MethodContext.Key key =
        new MethodContext.Key(self, source.qualifiedName(), method.name(), handedIn);
    return contexts.computeIfAbsent(key, k -> new MethodContext(k, source, method));
  }

  /** Follows a method of a module; {@code arguments} are those after self. */
  Value run(MethodContext context, List<Value> arguments) {
    LocalVariables frame = new LocalVariables(context);
    List<Stmt.Parameter> parameters = context.method().parameters();
    frame.set(parameters.get(0).name(), new Value.Module(context.key().self()));
    return run(frame, context.method(), parameters.subList(1, parameters.size()), arguments);
  }

  /** Follows a free function. */
  Value run(Stmt.Function function, List<Value> arguments) {
    return run(new LocalVariables(null), function, function.parameters(), arguments);
  }

  private Value run(
      LocalVariables frame,
      Stmt.Function function,
      List<Stmt.Parameter> parameters,
      List<Value> arguments) {
    if (frames.size() > MAX_CALL_DEPTH) {
      throw new WalkLimitException("calls nest deeper than " + MAX_CALL_DEPTH);
    }
    for (int i = 0; i < parameters.size(); i++) {
      frame.set(parameters.get(i).name(), i < arguments.size() ? arguments.get(i) : state());
    }
    frame.reads(lastReads.computeIfAbsent(function, LastReads::of));
    frames.push(frame);
    function.body().forEach(s -> statement(s, frame));
    frames.pop();
    Value result = frame.result();
    if (result == null) {
      return new Value.Data(Set.of(), Layout.OTHER);
    }
    return result instanceof Value.Data data && function.returns() != null
        ? data.as(Printer.print(function.returns()))
        : result;
  }

  /** A module is about to be called: later changes of the arguments must be remembered. */
  void begins(CallSite site, List<Value> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      for (Integer origin : arguments.get(i).allOrigins()) {
        given.computeIfAbsent(origin, o -> new HashSet<>()).add(new Given(site, i));
        if (inputs.contains(origin)) {
          site.markReadsInput();
        }
      }
    }
  }

  /**
   * A module call has returned {@code value}: whether a variable of a method that still runs may
   * share memory with it, and what later changes must be remembered for.
   */
  void completed(CallSite site, Value value) {
    Set<Integer> all = value.allOrigins();
    if (site.isOperator() && site.number() < 0) {
      site.number(next(site));
    }
    boolean live = frames.stream().anyMatch(f -> holdsAny(f, all));
    site.aliasing(live, all.contains(Value.STATE));
    site.markSpatial(value.anyLayout() == Layout.CHANNELS_FIRST);
    site.caller().completed(site);
    for (Integer origin : all) {
      recorded.computeIfAbsent(origin, o -> new HashSet<>()).add(site);
    }
  }

  /** The value of an operator, in whose flow it is if operators are followed. */
  Value made(CallSite operator, Value value) {
    return operatorFlow ? returned(operator, value) : value;
  }

  /** The value as the result of a module call, a separate object. */
  Value returned(CallSite site, Value value) {
    return returned(value, numbers.computeIfAbsent(site, s -> numbers.size()));
  }

  private static Value returned(Value value, int number) {
    if (value instanceof Value.TupleOf tuple) {
      return new Value.TupleOf(tuple.items().stream().map(v -> returned(v, number)).toList());
    }
    if (!(value instanceof Value.Data data)) {
      return value;
    }
    Value.Data marked =
        new Value.Data(data.origins(), data.layout(), data.type())
            .made(data.flow().returnedBy(number))
            .by(data.makers());
    data.entries().forEach((key, entry) -> marked.entries().put(key, returned(entry, number)));
    return marked;
  }

  /** How many values of that operator the module has made before. */
  private int next(CallSite site) {
    Map<String, Integer> counts =
        operators.computeIfAbsent(site.caller().key().self(), m -> new HashMap<>());
    return counts.merge(site.operator(), 1, Integer::sum) - 1;
  }

  private static boolean holdsAny(LocalVariables frame, Set<Integer> origins) {
    for (Map.Entry<String, Value> variable : frame.variables().entrySet()) {
      for (Integer origin : variable.getValue().allOrigins()) {
        if (origin != Value.STATE && origins.contains(origin) && frame.isLive(variable.getKey())) {
          return true;
        }
      }
    }
    return false;
  }

  private void block(List<Stmt> body, LocalVariables frame) {
    body.forEach(s -> statement(s, frame));
  }

  private void statement(Stmt statement, LocalVariables frame) {
    step();
    if (statement instanceof Stmt.Assign s) {
      if (s.value() != null) {
        Value value = expressions.evaluate(s.value(), frame);
        s.targets().forEach(t -> bind(t, value, frame));
      }
    } else if (statement instanceof Stmt.Augment s) {
      Value target = expressions.evaluate(s.target(), frame);
      Flow flow = expressions.evaluate(s.value(), frame).flow();
      changed(target);
      mixedIn(target, flow);
    } else if (statement instanceof Stmt.Evaluate s) {
      expressions.evaluate(s.value(), frame);
    } else if (statement instanceof Stmt.Prefixed s) {
      if (!s.word().equals("import")) {
        expressions.evaluate(s.value(), frame);
      }
    } else if (statement instanceof Stmt.Return s) {
      Value value =
          s.value() == null
              ? new Value.Data(Set.of(), Layout.OTHER)
              : expressions.evaluate(s.value(), frame);
      Value before = frame.result();
      frame.result(before == null ? value : merge(before, value));
    } else if (statement instanceof Stmt.If s) {
      branch(s, frame);
    } else if (statement instanceof Stmt.While s) {
      loop(s.body(), frame, () -> expressions.evaluate(s.condition(), frame));
    } else if (statement instanceof Stmt.For s) {
      Value items = expressions.evaluate(s.iterable(), frame);
      loop(s.body(), frame, () -> bind(s.target(), expressions.element(items), frame));
    } else if (statement instanceof Stmt.With s) {
      for (Stmt.Context context : s.contexts()) {
        Value value = expressions.evaluate(context.value(), frame);
        if (context.target() != null) {
          bind(context.target(), value, frame);
        }
      }
      block(s.body(), frame);
    }
  }

  private void branch(Stmt.If s, LocalVariables frame) {
    Value condition = expressions.evaluate(s.condition(), frame);
    if (condition instanceof Value.Constant c && c.is("True")) {
      block(s.then(), frame);
      return;
    }
    if (condition instanceof Value.Constant c && c.is("False")) {
      block(s.otherwise(), frame);
      return;
    }
    Map<String, Value> before = frame.fork();
    trace.enterBranch();
    block(s.then(), frame);
    Map<String, Value> afterThen = frame.variables();
    frame.restore(before);
    trace.otherBranch();
    block(s.otherwise(), frame);
    trace.leaveBranch();
    merge(frame, afterThen);
  }

  private void loop(List<Stmt> body, LocalVariables frame, Runnable eachTime) {
    frame.enterLoop();
    eachTime.run();
    for (int pass = 0; pass < 2; pass++) {
      Map<String, Value> before = frame.fork();
      block(body, frame);
      eachTime.run();
      merge(frame, before);
    }
    frame.leaveLoop();
  }

  private void merge(LocalVariables frame, Map<String, Value> other) {
    for (Map.Entry<String, Value> variable : other.entrySet()) {
      Value here = frame.get(variable.getKey());
      frame.set(
          variable.getKey(), here == null ? variable.getValue() : merge(here, variable.getValue()));
    }
  }

  static Value merge(Value a, Value b) {
    if (a == b || a.equals(b)) {
      return a;
    }
    if (isModule(a) && isModule(b)) {
      Set<ModuleNode> nodes = new LinkedHashSet<>(modulesOf(a));
      nodes.addAll(modulesOf(b));
      return nodes.size() == 1 ? a : new Value.AnyModule(List.copyOf(nodes));
    }
    if (a instanceof Value.TupleOf x
        && b instanceof Value.TupleOf y
        && x.items().size() == y.items().size()) {
      List<Value> items = new ArrayList<>();
      for (int i = 0; i < x.items().size(); i++) {
        items.add(merge(x.items().get(i), y.items().get(i)));
      }
      return new Value.TupleOf(items);
    }
    Set<Integer> origins = new HashSet<>(a.allOrigins());
    origins.addAll(b.allOrigins());
    String type = a instanceof Value.Data x && b instanceof Value.Data y ? common(x, y) : null;
    Value.Data merged =
        new Value.Data(origins, a.anyLayout().or(b.anyLayout()), type)
            .made(a.flow().with(b.flow()))
            .by(Value.makers(List.of(a, b)));
    if (a instanceof Value.Data x && b instanceof Value.Data y) {
      merged.entries().putAll(x.entries());
      y.entries().forEach((key, value) -> merged.entries().merge(key, value, ProgramWalker::merge));
    }
    return merged;
  }

  private static @Nullable String common(Value.Data a, Value.Data b) {
    return a.type() != null && a.type().equals(b.type()) ? a.type() : null;
  }

  private static boolean isModule(Value value) {
    return value instanceof Value.Module || value instanceof Value.AnyModule;
  }

  static List<ModuleNode> modulesOf(Value value) {
    return value instanceof Value.Module m
        ? List.of(m.node())
        : value instanceof Value.AnyModule any ? any.nodes() : List.of();
  }

  private void bind(Expr target, Value value, LocalVariables frame) {
    if (target instanceof Expr.Name name) {
      frame.set(name.id(), value);
    } else if (target instanceof Expr.Paren paren) {
      bind(paren.inner(), value, frame);
    } else if (target instanceof Expr.Unary starred) {
      bind(starred.operand(), expressions.element(value), frame);
    } else if (target instanceof Expr.Tuple || target instanceof Expr.ListOf) {
      List<Expr> parts =
          target instanceof Expr.Tuple t ? t.items() : ((Expr.ListOf) target).items();
      boolean known = value instanceof Value.TupleOf t && t.items().size() == parts.size();
      for (int i = 0; i < parts.size(); i++) {
        Value item = known ? ((Value.TupleOf) value).items().get(i) : expressions.element(value);
        bind(parts.get(i), item, frame);
      }
    } else if (target instanceof Expr.Attribute attribute) {
      expressions.evaluate(attribute.value(), frame);
      if (value instanceof Value.Data data) {
        data.origins().add(Value.STATE);
      }
    } else {
      changed(expressions.evaluate(target, frame));
    }
  }
}
