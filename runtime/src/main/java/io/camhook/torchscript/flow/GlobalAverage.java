package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.SubExpressions;
import io.camhook.torchscript.source.VariableUse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A model in which only global average pooling and the last linear layer follow the recorded map.
 * The gradient of class k's score with respect to the map is then known without differentiation: it
 * is Wₖ / (number of positions) at each position, and CAM equals Grad-CAM (Zhou et al., 2016;
 * Selvaraju et al., 2017, section 3.1).
 *
 * <p>Alternatively the map goes through a 1×1 convolution, a ReLU and global average pooling, which
 * gives the scores (SqueezeNet, Network in Network). The gradient is then Wₖ / (number of
 * positions) where class k's map, Wₖ·a + bₖ, is positive, and 0 elsewhere.
 *
 * @param positions how many of the map's dimensions are averaged over: 2 for {@code [N,C,H,W]}
 * @param training flags of modules, as expressions in a method of the root: if one is true, dropout
 *     is active and this does not hold
 * @param convolution the one that computes the class maps; null if there is a linear layer
 */
public record GlobalAverage(
    int positions, List<String> training, @Nullable Convolution convolution) {
  /**
   * The convolution before the ReLU, by expressions in a method of the root.
   *
   * @param bias null if it has none
   */
  public record Convolution(String weight, @Nullable String bias) {}

  private static final String TRAINING = "training";

  /**
   * Follows the recorded value from the tap to the model's result.
   *
   * @param tap the calls from the root to the only tap
   * @param linear the calls from the root to the linear layer at the model's end; empty if there is
   *     none
   * @return null if the value takes another path, or if the code contains something that is not
   *     understood here
   */
  public static @Nullable GlobalAverage of(
      SourceTree sources, MethodContext root, List<CallSite> tap, List<CallSite> linear) {
    CallSite recorded = tap.get(tap.size() - 1);
    if (recorded.mode() != 0) {
      return null; // something else may share the memory
    }
    Follower follower = new Follower(sources, root, tap, linear);
    Map<String, Known> inputs = new HashMap<>();
    root.method().parameters().forEach(p -> inputs.put(p.name(), Stage.ELSEWHERE));
    inputs.put(root.method().parameters().get(0).name(), new Self(root.key().self()));
    Known result = follower.run(root, root.method(), inputs);
    Stage end = linear.isEmpty() ? Stage.FEATURES : Stage.SCORES;
    boolean convolved = follower.convolution != null;
    if (result != end || follower.lost || convolved != linear.isEmpty()) {
      return null;
    }
    List<String> flags = new ArrayList<>();
    for (ModuleNode module : follower.dropouts) {
      String name = (module.path().isEmpty() ? "" : module.path() + ".") + TRAINING;
      String flag = sources.attribute(root.source(), root.self(), name);
      if (flag == null) {
        return null;
      }
      flags.add(flag);
    }
    return new GlobalAverage(follower.positions, List.copyOf(flags), follower.convolution);
  }

  /** What is known about a variable's value. */
  private sealed interface Known {}

  /** The stage of a value on the way from the map to the scores. */
  private enum Stage implements Known {
    ELSEWHERE,
    MAP,
    /** The convolution's result, one channel per class. */
    CLASS_MAPS,
    /** The same without negative values. */
    RECTIFIED,
    /** The averages in the order of samples and channels, in any shape. */
    AVERAGES,
    /** The same in two dimensions. */
    FEATURES,
    SCORES
  }

  /** A number, a string, a name such as {@code False} or a list of them, as written. */
  private record Literal(String text) implements Known {
    Literal(Expr expression) {
      this(Printer.print(expression));
    }
  }

  private record Function(String qualifiedName) implements Known {}

  /** The module that the method belongs to. */
  private record Self(ModuleNode module) implements Known {}

  /** A parameter or constant, as an expression in a method of the root. */
  private record Parameter(String text) implements Known {}

  /** A module's flag. */
  private record Training(ModuleNode module) implements Known {}

  /**
   * Interprets the code without values. Code that it does not understand makes it {@link #lost}.
   */
  private static final class Follower {
    private static final Set<String> READERS =
        Set.of(
            "torch.size",
            "torch.len",
            "torch.dim",
            "torch.numel",
            "ops.prim.dtype",
            "ops.prim.device");

    /** These methods change a list, so that it no longer equals the literal that made it. */
    private static final Set<String> LIST_CHANGES =
        Set.of(
            "torch._set_item",
            "torch.append",
            "torch.insert",
            "torch.extend",
            "torch.add_",
            "torch.mul_",
            "torch.pop",
            "torch.remove",
            "torch.Delete",
            "torch.clear",
            "torch.reverse",
            "torch.sort");

    private final SourceTree sources;
    private final MethodContext root;
    private final CallSite tap;
    private final @Nullable CallSite linear;
    private final Set<CallSite> ways = new HashSet<>();
    private final Set<ModuleNode> dropouts = new LinkedHashSet<>();
    private int positions;
    private boolean lost;
    private @Nullable Convolution convolution;

    Follower(SourceTree sources, MethodContext root, List<CallSite> tap, List<CallSite> linear) {
      this.sources = sources;
      this.root = root;
      this.tap = tap.get(tap.size() - 1);
      this.linear = linear.isEmpty() ? null : linear.get(linear.size() - 1);
      ways.addAll(tap);
      ways.addAll(linear);
    }

    private Known lost() {
      lost = true;
      return Stage.ELSEWHERE;
    }

    private static boolean isOnTheWay(@Nullable Known value) {
      return value instanceof Stage && value != Stage.ELSEWHERE;
    }

    /** Follows a method, or a free function without a context. */
    Known run(
        @Nullable MethodContext context, Stmt.Function function, Map<String, Known> variables) {
      for (Stmt statement : function.body()) {
        if (statement instanceof Stmt.Return end) {
          return end.value() == null ? Stage.ELSEWHERE : value(end.value(), context, variables);
        }
        run(statement, context, variables);
      }
      return Stage.ELSEWHERE;
    }

    private void run(
        Stmt statement, @Nullable MethodContext context, Map<String, Known> variables) {
      if (statement instanceof Stmt.Assign s && s.targets().get(0) instanceof Expr.Name name) {
        if (s.value() != null) {
          Known value = value(s.value(), context, variables);
          boolean one = s.targets().size() == 1;
          variables.put(name.id(), one || !isOnTheWay(value) ? value : lost());
          forget(s, variables, one ? name.id() : "");
        }
      } else if (statement instanceof Stmt.If s) {
        branch(s, context, variables);
      } else if (statement instanceof Stmt.Evaluate s) {
        value(s.value(), context, variables);
      } else if (statement instanceof Stmt.Return) {
        lost(); // in a branch: the rest may not run
      } else if (!(statement instanceof Stmt.Keyword)) {
        VariableUse names = new VariableUse(null);
        names.add(statement);
        if (names.read().stream().anyMatch(n -> isOnTheWay(variables.get(n)))) {
          lost();
        }
        forget(statement, variables, "");
      }
    }

    /** Forgets what is known about the variables that a statement assigns, except {@code kept}. */
    private static void forget(Stmt statement, Map<String, Known> variables, String kept) {
      VariableUse names = new VariableUse(null);
      names.add(statement);
      for (String name : names.assigned()) {
        if (!name.equals(kept)) {
          variables.put(name, Stage.ELSEWHERE);
        }
      }
    }

    private void branch(Stmt.If s, @Nullable MethodContext context, Map<String, Known> variables) {
      Known condition = value(s.condition(), context, variables);
      if (condition instanceof Literal literal && literal.text().equals("True")) {
        s.then().forEach(inner -> run(inner, context, variables));
        return;
      }
      if (condition instanceof Literal literal && literal.text().equals("False")) {
        s.otherwise().forEach(inner -> run(inner, context, variables));
        return;
      }
      Map<String, Known> other = new HashMap<>(variables);
      s.then().forEach(inner -> run(inner, context, variables));
      s.otherwise().forEach(inner -> run(inner, context, other));
      Set<String> names = new HashSet<>(variables.keySet());
      names.addAll(other.keySet());
      for (String name : names) {
        Known one = variables.get(name);
        Known two = other.get(name);
        if (one == null || !one.equals(two)) {
          variables.put(name, isOnTheWay(one) || isOnTheWay(two) ? lost() : Stage.ELSEWHERE);
        }
      }
    }

    private Known value(
        Expr expression, @Nullable MethodContext context, Map<String, Known> variables) {
      if (lost) {
        return Stage.ELSEWHERE;
      }
      if (expression instanceof Expr.Name e) {
        return variables.getOrDefault(e.id(), new Literal(e));
      } else if (expression instanceof Expr.Num || expression instanceof Expr.Str) {
        return new Literal(expression);
      } else if (expression instanceof Expr.Paren e) {
        return value(e.inner(), context, variables);
      } else if (expression instanceof Expr.Call e) {
        return call(e, context, variables);
      } else if (expression instanceof Expr.Attribute e) {
        String dotted = Literals.dotted(e);
        if (dotted != null && dotted.startsWith("__torch__.")) {
          return new Function(dotted);
        }
        if (dotted != null && dotted.startsWith("CONSTANTS.")) {
          return new Parameter(dotted);
        }
        if (value(e.value(), context, variables) instanceof Self self) {
          return attribute(self.module(), e.name());
        }
      }
      List<Known> parts = new ArrayList<>();
      SubExpressions.of(
          expression,
          part -> {
            if (part != null) {
              parts.add(value(part, context, variables));
            }
          });
      if (parts.stream().anyMatch(Follower::isOnTheWay)) {
        return lost();
      }
      boolean number = expression instanceof Expr.Unary || expression instanceof Expr.ListOf;
      return number && parts.stream().allMatch(Literal.class::isInstance)
          ? new Literal(expression)
          : Stage.ELSEWHERE;
    }

    private Known attribute(ModuleNode module, String name) {
      if (name.equals(TRAINING)) {
        return new Training(module);
      }
      ModuleNode child = module.children().get(name);
      if (child != null) {
        return new Self(child);
      }
      SourceTree.ClassSource source = sources.type(module.type());
      Expr type = source == null ? null : source.attributes().get(name);
      if (type != null && Printer.print(type).equals("NoneType")) {
        return new Literal("None");
      }
      String path = module.path().isEmpty() ? name : module.path() + "." + name;
      String text =
          module.parameters().containsKey(name)
              ? sources.attribute(root.source(), root.self(), path)
              : null;
      return text == null ? Stage.ELSEWHERE : new Parameter(text);
    }

    private Known call(Expr.Call e, @Nullable MethodContext context, Map<String, Known> variables) {
      List<Known> given = new ArrayList<>();
      e.arguments().forEach(a -> given.add(value(a.value(), context, variables)));
      boolean matters = given.stream().anyMatch(Follower::isOnTheWay);
      CallSite site = context == null ? null : context.site(e);
      if (site == tap && site != null) {
        return matters ? lost() : Stage.MAP;
      }
      if (site == linear && site != null) {
        boolean alone = given.stream().skip(1).noneMatch(Follower::isOnTheWay);
        return given.get(0) == Stage.FEATURES && alone ? Stage.SCORES : lost();
      }
      if (site != null && !site.isOperator()) {
        return moduleCall(site, given, matters);
      }
      String name = Literals.dotted(e.function());
      if (name != null && variables.get(name) instanceof Function function) {
        name = function.qualifiedName();
      }
      if ("getattr".equals(name)
          && given.size() == 2
          && given.get(0) instanceof Self self
          && e.arguments().get(1).value() instanceof Expr.Str key) {
        return attribute(self.module(), Literals.text(key));
      }
      if (LIST_CHANGES.contains(name) && isWrittenList(given.get(0))) {
        return lost();
      }
      if (!matters) {
        return name == null ? value(e.function(), context, variables) : Stage.ELSEWHERE;
      }
      SourceTree.FunctionSource function = name == null ? null : sources.function(name);
      if (function != null) {
        Stmt.Function definition = function.definition();
        return run(null, definition, bound(definition.parameters(), e, given));
      }
      return name == null || e.arguments().stream().anyMatch(a -> a.name() != null)
          ? lost()
          : operator(name, e, given);
    }

    private static boolean isWrittenList(Known value) {
      return value instanceof Literal literal
          && literal.text().startsWith("[")
          && !literal.text().equals("[]"); // a list that grows from [] is not known
    }

    private Known moduleCall(CallSite site, List<Known> given, boolean matters) {
      if (!matters && !ways.contains(site)) {
        return Stage.ELSEWHERE;
      }
      if (site.isUnclear()) {
        return lost();
      }
      Stmt.Function method = site.callee().method();
      List<Stmt.Parameter> parameters = method.parameters();
      Map<String, Known> variables =
          bound(parameters.subList(1, parameters.size()), site.call(), given);
      variables.put(parameters.get(0).name(), new Self(site.target()));
      return run(site.callee(), method, variables);
    }

    private static Map<String, Known> bound(
        List<Stmt.Parameter> parameters, Expr.Call call, List<Known> given) {
      Map<String, Known> variables = new HashMap<>();
      for (Stmt.Parameter parameter : parameters) {
        Expr value = parameter.defaultValue();
        variables.put(parameter.name(), value == null ? Stage.ELSEWHERE : new Literal(value));
      }
      int position = 0;
      for (int i = 0; i < given.size(); i++) {
        String name = call.arguments().get(i).name();
        if (name == null && position < parameters.size()) {
          name = parameters.get(position++).name();
        }
        variables.put(name == null ? "" : name, given.get(i));
      }
      return variables;
    }

    /**
     * A torch operator with the value as its first argument, and all arguments given by position.
     */
    private Known operator(String name, Expr.Call e, List<Known> given) {
      Known value = given.get(0);
      List<Known> rest = given.subList(1, given.size());
      if (rest.stream().anyMatch(Follower::isOnTheWay)) {
        return lost();
      }
      if (READERS.contains(name)) {
        return Stage.ELSEWHERE;
      }
      boolean averaged = value == Stage.AVERAGES || value == Stage.FEATURES;
      List<String> texts = rest.stream().map(Follower::text).toList();
      return switch (name) {
        case "torch.adaptive_avg_pool1d" -> pooled(value, 1, texts);
        case "torch.adaptive_avg_pool2d" -> pooled(value, 2, texts);
        case "torch.adaptive_avg_pool3d" -> pooled(value, 3, texts);
        case "torch.mean" -> mean(value, texts);
        case "torch.flatten" -> {
          boolean fromOne = texts.equals(List.of("1")) || texts.equals(List.of("1", "-1"));
          yield averaged && fromOne ? Stage.FEATURES : lost();
        }
        case "torch.view", "torch.reshape" -> {
          boolean two =
              e.arguments().size() == 2
                  && e.arguments().get(1).value() instanceof Expr.ListOf shape
                  && shape.items().size() == 2;
          yield averaged && two ? Stage.FEATURES : lost();
        }
        case "torch.dropout", "torch.dropout_" ->
            averaged || value == Stage.MAP ? dropout(value, rest) : lost();
        case "torch.conv1d" -> convolved(value, 1, rest, texts, 5, "");
        case "torch.conv2d" -> convolved(value, 2, rest, texts, 5, "");
        case "torch.conv3d" -> convolved(value, 3, rest, texts, 5, "");
        case "torch._convolution" -> {
          int dimensions = texts.size() < 3 ? 0 : texts.get(2).split(",").length;
          yield convolved(value, dimensions, rest, texts, 7, texts.size() < 6 ? "" : texts.get(5));
        }
        case "torch.relu", "torch.relu_" -> value == Stage.CLASS_MAPS ? Stage.RECTIFIED : lost();
        default -> lost();
      };
    }

    /**
     * A convolution without stride, padding and groups. The shape of its weight shows at run time
     * whether its kernel has one position.
     *
     * @param arguments weight, bias, stride, padding, …
     * @param groups which of them is the number of groups
     * @param transposed the text of the argument that says whether it is transposed; null if there
     *     is none
     */
    private Known convolved(
        Known value,
        int dimensions,
        List<Known> arguments,
        List<String> texts,
        int groups,
        String transposed) {
      boolean plain =
          value == Stage.MAP
              && convolution == null
              && dimensions > 0
              && arguments.size() > 1
              && isEach(texts, 2, dimensions, "1")
              && isEach(texts, 3, dimensions, "0")
              && (texts.size() <= groups || texts.get(groups).equals("1"))
              && (transposed.isEmpty() || transposed.equals("False"));
      if (!plain || !(arguments.get(0) instanceof Parameter weight)) {
        return lost();
      }
      if (arguments.get(1) instanceof Parameter bias) {
        convolution = new Convolution(weight.text(), bias.text());
      } else if (texts.get(1).equals("None")) {
        convolution = new Convolution(weight.text(), null);
      } else {
        return lost();
      }
      return Stage.CLASS_MAPS;
    }

    /** Whether an argument, if it is given, is {@code number} in each dimension. */
    private static boolean isEach(List<String> texts, int at, int dimensions, String number) {
      if (texts.size() <= at) {
        return true;
      }
      String list = Collections.nCopies(dimensions, number).toString();
      return texts.get(at).equals(number) || texts.get(at).equals(list);
    }

    /** A literal, as written. */
    private static String text(Known value) {
      return value instanceof Literal literal ? literal.text() : "";
    }

    private static String list(int from, int to) {
      return IntStream.range(from, to).boxed().toList().toString();
    }

    private Known pooled(Known value, int dimensions, List<String> arguments) {
      String ones = "[1" + ", 1".repeat(dimensions - 1) + "]";
      return isPooled(value) && arguments.equals(List.of(ones))
          ? averaged(dimensions, Stage.AVERAGES)
          : lost();
    }

    /** {@code mean(map, [2, 3])}, {@code mean(map, [-1, -2], True)}. */
    private Known mean(Known value, List<String> arguments) {
      if (!isPooled(value) || arguments.isEmpty() || arguments.size() > 2) {
        return lost();
      }
      String keep = arguments.size() == 1 ? "False" : arguments.get(1);
      if (!keep.equals("True") && !keep.equals("False")) {
        return lost();
      }
      for (int n = 1; n <= 3; n++) {
        String forwards = list(2, 2 + n);
        String backwards = list(1, 1 + n).replaceAll("(\\d)", "-$1");
        if (arguments.get(0).equals(forwards)
            || arguments.get(0).equals(backwards)
            || arguments.get(0).equals(list(-n, 0))) {
          return averaged(n, keep.equals("True") ? Stage.AVERAGES : Stage.FEATURES);
        }
      }
      return lost();
    }

    private static boolean isPooled(Known value) {
      return value == Stage.MAP || value == Stage.RECTIFIED;
    }

    private Known averaged(int dimensions, Stage stage) {
      boolean another = positions != 0 && positions != dimensions;
      positions = dimensions;
      return another ? lost() : stage;
    }

    private Known dropout(Known value, List<Known> arguments) {
      Known training = arguments.size() == 2 ? arguments.get(1) : Stage.ELSEWHERE;
      if (training instanceof Training flag) {
        dropouts.add(flag.module());
        return value;
      }
      return training instanceof Literal literal && literal.text().equals("False") ? value : lost();
    }
  }
}
