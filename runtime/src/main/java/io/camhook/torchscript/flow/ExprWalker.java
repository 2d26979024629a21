package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The part of {@link ProgramWalker} that handles expressions. */
final class ExprWalker {
  /**
   * The names that torch gives to a module's forward: repeats in a trace, overloads in a script.
   */
  private static final Pattern FORWARD = Pattern.compile("forward(\\d+|__\\d+)?");

  private final ProgramWalker walker;
  private final SourceTree sources;

  ExprWalker(ProgramWalker walker, SourceTree sources) {
    this.walker = walker;
    this.sources = sources;
  }

  Value evaluate(Expr expression, LocalVariables frame) {
    walker.step();
    if (expression instanceof Expr.Name e) {
      return name(e, frame);
    } else if (expression instanceof Expr.Num || expression instanceof Expr.Str) {
      return new Value.Constant(expression);
    } else if (expression instanceof Expr.Paren e) {
      return evaluate(e.inner(), frame);
    } else if (expression instanceof Expr.Attribute e) {
      return attribute(e, frame);
    } else if (expression instanceof Expr.Call e) {
      return call(e, frame);
    } else if (expression instanceof Expr.Index e) {
      return index(e, frame);
    } else if (expression instanceof Expr.Tuple e) {
      return new Value.TupleOf(all(e.items(), frame));
    } else if (expression instanceof Expr.ListOf e) {
      return list(e, frame);
    } else if (expression instanceof Expr.Dict e) {
      e.keys().forEach(k -> evaluate(k, frame));
      return dict(e, all(e.values(), frame));
    } else if (expression instanceof Expr.Comprehension e) {
      Value items = element(evaluate(e.iterable(), frame));
      if (e.target() instanceof Expr.Name target) {
        frame.set(target.id(), items);
      }
      frame.enterLoop();
      Value each = evaluate(e.element(), frame);
      frame.leaveLoop();
      return union(List.of(items, each));
    } else if (expression instanceof Expr.Unary e) {
      return walker.fresh(Layout.OTHER).made(evaluate(e.operand(), frame).flow());
    } else if (expression instanceof Expr.Binary e) {
      Value left = evaluate(e.left(), frame);
      Value right = evaluate(e.right(), frame);
      return walker
          .fresh(left.anyLayout().or(right.anyLayout()))
          .made(left.flow().with(right.flow()));
    } else if (expression instanceof Expr.Ternary e) {
      evaluate(e.condition(), frame);
      return ProgramWalker.merge(evaluate(e.then(), frame), evaluate(e.otherwise(), frame));
    }
    return nothing();
  }

  /** An element of a container, which may share memory with everything in the container. */
  Value element(Value container) {
    boolean tensors =
        container instanceof Value.Data data && OperatorResults.TENSORS.equals(data.type());
    return new Value.Data(
            container.allOrigins(), container.anyLayout(), tensors ? OperatorResults.TENSOR : null)
        .made(container.flow())
        .by(container.makers().size() == 1 ? container.makers() : Value.UNKNOWN);
  }

  private Value name(Expr.Name e, LocalVariables frame) {
    Value value = frame.get(e.id());
    if (value != null) {
      return value;
    }
    return e.id().equals("CONSTANTS") ? walker.state() : new Value.Constant(e);
  }

  private Value attribute(Expr.Attribute e, LocalVariables frame) {
    String dotted = Literals.dotted(e);
    if (dotted != null && isGlobal(e, frame)) {
      return dotted.startsWith("CONSTANTS.") ? walker.state() : new Value.Reference(dotted);
    }
    return attributeOf(evaluate(e.value(), frame), e.name());
  }

  private Value attributeOf(Value owner, String name) {
    if (owner instanceof Value.Module module) {
      ModuleNode child = module.node().children().get(name);
      if (child != null) {
        return new Value.Module(child);
      }
      List<Long> list = module.node().lists().get(name);
      if (list != null) {
        return new Value.Numbers(list);
      }
      return module.node().parameters().containsKey(name)
          ? Value.Data.ofParameter(OperatorTrace.parameter(module.node(), name))
          : walker.state();
    }
    if (owner instanceof Value.AnyModule any) {
      List<ModuleNode> children = new ArrayList<>();
      for (ModuleNode node : any.nodes()) {
        ModuleNode child = node.children().get(name);
        if (child == null) {
          return walker.state();
        }
        children.add(child);
      }
      return new Value.AnyModule(children);
    }
    return element(owner);
  }

  private static boolean isGlobal(Expr expression, LocalVariables frame) {
    Expr root = expression;
    while (root instanceof Expr.Attribute attribute) {
      root = attribute.value();
    }
    return root instanceof Expr.Name name && frame.get(name.id()) == null;
  }

  private Value index(Expr.Index e, LocalVariables frame) {
    Value value = evaluate(e.value(), frame);
    e.items().forEach(i -> evaluate(i, frame));
    if (value instanceof Value.TupleOf tuple
        && e.items().get(0) instanceof Expr.Num number
        && number.text().matches("\\d{1,4}")
        && Integer.parseInt(number.text()) < tuple.items().size()) {
      return tuple.items().get(Integer.parseInt(number.text()));
    }
    if (value instanceof Value.Data data
        && e.items().get(0) instanceof Expr.Str key
        && data.entries().containsKey(Literals.text(key))) {
      return Objects.requireNonNull(data.entries().get(Literals.text(key)));
    }
    return new Value.Data(value.allOrigins(), Layout.OTHER)
        .as(((Value.Data) element(value)).type())
        .made(value.flow());
  }

  private static Value dict(Expr.Dict e, List<Value> values) {
    Value all = union(values);
    if (all instanceof Value.Data data) {
      for (int i = 0; i < values.size(); i++) {
        if (e.keys().get(i) instanceof Expr.Str key) {
          data.entries().put(Literals.text(key), values.get(i));
        }
      }
    }
    return all;
  }

  private Value list(Expr.ListOf e, LocalVariables frame) {
    if (!e.items().isEmpty() && e.items().stream().allMatch(i -> i instanceof Expr.Num)) {
      return new Value.Constant(e);
    }
    List<Value> items = all(e.items(), frame);
    boolean tensors = !items.isEmpty() && items.stream().allMatch(Value::isTensor);
    return union(items).by(Value.makers(items)).as(tensors ? OperatorResults.TENSORS : null);
  }

  private List<Value> all(List<Expr> items, LocalVariables frame) {
    List<Value> values = new ArrayList<>();
    items.forEach(i -> values.add(evaluate(i, frame)));
    return values;
  }

  private static Value.Data union(List<Value> values) {
    Set<Integer> origins = new HashSet<>();
    Layout layout = Layout.OTHER;
    for (Value value : values) {
      origins.addAll(value.allOrigins());
      layout = layout.or(value.anyLayout());
    }
    return new Value.Data(origins, layout).made(Flow.of(values.stream().map(Value::flow).toList()));
  }

  private Value call(Expr.Call e, LocalVariables frame) {
    String dotted = Literals.dotted(e.function());
    if (dotted != null && isGlobal(e.function(), frame)) {
      return dotted.startsWith("__torch__.")
          ? reference(dotted, e, frame)
          : operator(dotted, e, frame);
    }
    if (e.function() instanceof Expr.Name name
        && frame.get(name.id()) instanceof Value.Reference reference) {
      return reference.qualifiedName().startsWith("__torch__.")
          ? reference(reference.qualifiedName(), e, frame)
          : operator(reference.qualifiedName(), e, frame);
    }
    if (e.function() instanceof Expr.Attribute method) {
      Value owner = evaluate(method.value(), frame);
      List<ModuleNode> modules = ProgramWalker.modulesOf(owner);
      if (!modules.isEmpty()) {
        return moduleCall(e, method, owner, modules, frame);
      }
      return unknownCall(owner, e, frame);
    }
    return unknownCall(evaluate(e.function(), frame), e, frame);
  }

  private Value moduleCall(
      Expr.Call e,
      Expr.Attribute method,
      Value owner,
      List<ModuleNode> modules,
      LocalVariables frame) {
    SourceTree.ClassSource source = sources.type(modules.get(0).type());
    Stmt.Function function = source == null ? null : source.method(method.name());
    MethodContext caller = frame.context();
    if (source == null || function == null || caller == null || function.parameters().isEmpty()) {
      return unknownCall(owner, e, frame);
    }
    List<Stmt.Parameter> parameters =
        function.parameters().subList(1, function.parameters().size());
    List<Value> arguments = arguments(parameters, e, frame);
    List<@Nullable ModuleNode> handedIn = new ArrayList<>();
    for (Value argument : arguments) {
      handedIn.add(argument instanceof Value.Module m ? m.node() : null);
    }
    if (handedIn.stream().allMatch(m -> m == null)) {
      handedIn = List.of();
    }
    boolean forward =
        FORWARD.matcher(method.name()).matches() && modules.get(0) != caller.key().self();
    MethodContext callee = walker.context(modules.get(0), source, function, handedIn);
    CallSite site = caller.siteFor(e, callee, forward, frame.isInLoop());
    site.alsoCalls(callee);
    if (owner instanceof Value.AnyModule) {
      site.markUnclear(modules);
    }
    if (walker.modules().isBehindInterface(modules.get(0))) {
      site.markThroughInterface();
    }
    walker.begins(site, arguments);
    frame.at(e.end());
    int begin = walker.trace().size();
    Value result = walker.run(callee, arguments);
    if (forward) {
      walker.trace().module(modules.get(0), begin, result);
    }
    walker.completed(site, result);
    return walker.returned(site, result);
  }

  private Value reference(String qualifiedName, Expr.Call e, LocalVariables frame) {
    SourceTree.FunctionSource function = sources.function(qualifiedName);
    if (function != null) {
      List<Value> arguments = arguments(function.definition().parameters(), e, frame);
      CallSite site = operatorSite(qualifiedName, function.definition().returns(), e, frame);
      if (site != null) {
        walker.begins(site, arguments);
      }
      frame.at(e.end());
      return completed(site, walker.run(function.definition(), arguments));
    }
    List<Value> arguments = new ArrayList<>();
    e.arguments().forEach(a -> arguments.add(evaluate(a.value(), frame)));
    SourceTree.ClassSource type = sources.type(qualifiedName);
    return type != null && type.extendsType("NamedTuple")
        ? new Value.TupleOf(arguments)
        : union(arguments);
  }

  private Value operator(String dotted, Expr.Call e, LocalVariables frame) {
    List<Value> arguments = new ArrayList<>();
    for (Expr.Argument argument : e.arguments()) {
      Value value = evaluate(argument.value(), frame);
      arguments.add(value);
      if ("out".equals(argument.name())) {
        walker.changed(value);
      }
    }
    frame.at(e.end());
    if (dotted.equals("getattr") && arguments.size() == 2) {
      return e.arguments().get(1).value() instanceof Expr.Str text
          ? attributeOf(arguments.get(0), Literals.text(text))
          : nothing();
    }
    if (dotted.equals("annotate") || dotted.equals("unchecked_cast")) {
      Value value = arguments.get(arguments.size() - 1);
      return value instanceof Value.Data data
          ? data.as(Printer.print(e.arguments().get(0).value()))
          : value;
    }
    List<Boolean> tensors = arguments.stream().map(Value::isTensor).toList();
    Expr type = OperatorResults.of(dotted, tensors);
    CallSite site = operatorSite(dotted, type, e, frame);
    if (site != null) {
      walker.begins(site, arguments);
      site.tensorArguments(tensors);
    }
    Value result = result(dotted, arguments);
    if (type != null) {
      if (result instanceof Value.Data made) {
        made.by(Set.of(walker.trace().size()));
      }
      boolean inPlace = Operators.isInPlace(dotted);
      walker.trace().operator(OperatorNames.of(dotted, e), arguments, result, inPlace, site);
    }
    return completed(
        site,
        type != null && result instanceof Value.Data data ? data.as(Printer.print(type)) : result);
  }

  /** Applies the operator's effect on its arguments, and returns its result. */
  private Value result(String dotted, List<Value> arguments) {
    String name = dotted.substring(dotted.lastIndexOf('.') + 1);
    Value first = arguments.isEmpty() ? nothing() : arguments.get(0);
    boolean weighs = arguments.stream().anyMatch(a -> a.allOrigins().contains(Value.STATE));
    Flow flow = Flow.of(arguments.stream().map(Value::flow).toList()).through(name, weighs);
    if (Operators.isInPlace(name)) {
      walker.changed(first);
      walker.mixedIn(first, flow);
      return ((Value.Data) element(first)).made(flow);
    }
    Layout layout = layout(name, arguments, flow);
    if (Operators.storesIntoContainer(name) && first instanceof Value.Data container) {
      arguments.stream().skip(1).forEach(stored -> container.origins().addAll(stored.allOrigins()));
      container.made(flow);
      if (arguments.size() == 3
          && arguments.get(1) instanceof Value.Constant key
          && key.literal() instanceof Expr.Str text) {
        container.entries().put(Literals.text(text), arguments.get(2));
      }
      return nothing();
    }
    boolean foreign = dotted.startsWith("ops.") && !dotted.startsWith("ops.aten.");
    if (foreign || Operators.mayAlias(name)) {
      return new Value.Data(union(arguments).allOrigins(), layout).made(flow);
    }
    return walker.fresh(layout).made(flow);
  }

  private static Layout layout(String operator, List<Value> arguments, Flow flow) {
    if (poolsToOne(operator, arguments)) {
      return Layout.ONE_POSITION;
    }
    Layout given = arguments.stream().map(Value::anyLayout).reduce(Layout.OTHER, (a, b) -> a.or(b));
    if (!operator.equals("permute")) {
      return Operators.layout(operator, given);
    }
    Layout permuted = given.permuted(arguments.size() < 2 ? null : arguments.get(1));
    // Tokens that met in an attention stay tokens, although Swin lays them out as a map at its end.
    return permuted == Layout.CHANNELS_FIRST && !flow.attended().isEmpty()
        ? Layout.OTHER
        : permuted;
  }

  /** The operator written here as a value that can be recorded; null outside of modules. */
  private static @Nullable CallSite operatorSite(
      String dotted, @Nullable Expr returns, Expr.Call e, LocalVariables frame) {
    MethodContext caller = frame.context();
    if (caller == null || returns == null) {
      return null;
    }
    return caller.operatorFor(e, dotted, returns, frame.isInLoop());
  }

  private Value completed(@Nullable CallSite site, Value value) {
    if (site == null) {
      return value;
    }
    walker.completed(site, value);
    return walker.made(site, value);
  }

  private static boolean poolsToOne(String operator, List<Value> arguments) {
    return operator.startsWith("adaptive_")
        && arguments.size() == 2
        && arguments.get(1) instanceof Value.Constant constant
        && constant.literal() instanceof Expr.ListOf sizes
        && sizes.items().stream().allMatch(i -> i instanceof Expr.Num n && n.text().equals("1"));
  }

  /** A method of an object that is no module: it may keep, return or change what it gets. */
  private Value unknownCall(Value owner, Expr.Call e, LocalVariables frame) {
    List<Value> values = new ArrayList<>(List.of(owner));
    e.arguments().forEach(a -> values.add(evaluate(a.value(), frame)));
    values.forEach(walker::changed);
    Value all = union(values);
    if (owner instanceof Value.Data data) {
      data.made(all.flow());
      data.origins().addAll(all.allOrigins());
    }
    return all;
  }

  /** Arguments in the order of the parameters, defaults filled in. */
  private List<Value> arguments(
      List<Stmt.Parameter> parameters, Expr.Call e, LocalVariables frame) {
    List<@Nullable Value> values = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      values.add(null);
    }
    int position = 0;
    for (Expr.Argument argument : e.arguments()) {
      Value value = evaluate(argument.value(), frame);
      int at = argument.name() == null ? position++ : indexOf(parameters, argument.name());
      if (at >= 0 && at < values.size()) {
        values.set(at, value);
      }
    }
    List<Value> complete = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      Value value = values.get(i);
      Expr defaultValue = parameters.get(i).defaultValue();
      complete.add(
          value != null
              ? value
              : defaultValue == null ? nothing() : new Value.Constant(defaultValue));
    }
    return complete;
  }

  private static Value nothing() {
    return new Value.Data(Set.of(), Layout.OTHER);
  }

  private static int indexOf(List<Stmt.Parameter> parameters, String name) {
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).name().equals(name)) {
        return i;
      }
    }
    return -1;
  }
}
