package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The last linear layer of a model.
 *
 * @param before text of its call in a method of the root, up to its argument
 * @param after the rest of that text
 * @param weight expression for its weight there
 * @param way the calls from the root to it, if the model returns its result and it is {@code
 *     torch.linear} of its first argument and {@code weight}; otherwise null
 */
public record LinearHead(String before, String after, String weight, @Nullable List<CallSite> way) {
  private static final String WEIGHT = "weight";
  private static final String LINEAR = "torch.linear";

  /** The layer's call in a method of the root. */
  public String of(String argument) {
    return before + argument + after;
  }

  /**
   * Finds the last linear layer of a model whose forward calls the operator itself.
   *
   * @return null if the model does not end with it, or if the weight is not the same in each pass
   */
  public static @Nullable LinearHead ofOperator(MethodContext root, CallPaths ways) {
    End end = End.of(root.method());
    if (end == null
        || !(end.value() instanceof Expr.Call call)
        || !LINEAR.equals(Literals.dotted(call.function()))
        || call.arguments().size() != 3
        || call.arguments().stream().anyMatch(argument -> argument.name() != null)) {
      return null;
    }
    CallSite site = root.site(call);
    List<CallSite> way = site == null ? null : ways.to(site);
    String weight = StateText.of(root.method(), call.arguments().get(1).value());
    String bias = StateText.of(root.method(), call.arguments().get(2).value());
    return way == null || weight == null || bias == null
        ? null
        : new LinearHead(LINEAR + "(", ", " + weight + ", " + bias + ")", weight, way);
  }

  /**
   * Looks for it.
   *
   * @param name of its weight, {@code fc.weight}
   * @return null if the code does not state the class of a module on the path
   */
  public static @Nullable LinearHead of(
      SourceTree sources, MethodContext root, CallPaths ways, String name) {
    String weight = sources.attribute(root.source(), root.self(), name);
    int dot = name.lastIndexOf('.');
    String path = dot < 0 ? "" : name.substring(0, dot);
    String module = dot < 0 ? root.self() : sources.attribute(root.source(), root.self(), path);
    if (weight == null || module == null) {
      return null;
    }
    for (CallSite call : ways.completed()) {
      if (call.isForward() && !call.isUnclear() && call.target().path().equals(path)) {
        List<CallSite> way = ways.to(call);
        boolean ends =
            way != null
                && way.stream().allMatch(LinearHead::isResult)
                && isLinear(call.callee().method())
                && call.call().arguments().size() == 1
                && call.call().arguments().get(0).name() == null;
        return ofModule(module, weight, ends ? way : null);
      }
    }
    return ofModule(module, weight, null);
  }

  private static LinearHead ofModule(String module, String weight, @Nullable List<CallSite> way) {
    return new LinearHead("(" + module + ").forward(", ", )", weight, way);
  }

  /** Whether a method ends with the call and returns its result. */
  private static boolean isResult(CallSite call) {
    End end = End.of(call.caller().method());
    return end != null && end.value() == call.call();
  }

  /** Whether a method does nothing but {@code torch.linear(input, self.weight, …)}. */
  private static boolean isLinear(Stmt.Function method) {
    End end = End.of(method);
    if (end == null
        || method.parameters().size() != 2
        || !(end.value() instanceof Expr.Call call)
        || !LINEAR.equals(Literals.dotted(call.function()))
        || call.arguments().size() != 3) {
      return false;
    }
    Map<String, String> looked = new HashMap<>();
    for (Stmt statement : method.body().subList(0, end.at())) {
      if (!(statement instanceof Stmt.Assign assign)
          || assign.targets().size() != 1
          || !(assign.targets().get(0) instanceof Expr.Name name)
          || ownAttribute(method, assign.value()) == null) {
        return false;
      }
      looked.put(name.id(), ownAttribute(method, assign.value()));
    }
    String input = method.parameters().get(1).name();
    Expr weight = call.arguments().get(1).value();
    String attribute =
        weight instanceof Expr.Name name ? looked.get(name.id()) : ownAttribute(method, weight);
    return call.arguments().get(0).value() instanceof Expr.Name first
        && first.id().equals(input)
        && !looked.containsKey(input)
        && WEIGHT.equals(attribute);
  }

  /**
   * What a method returns: {@code return value}, or {@code name = value} and {@code return name}.
   *
   * @param at index of the statement that contains it
   */
  private record End(Expr value, int at) {
    public static @Nullable End of(Stmt.Function method) {
      List<Stmt> body = method.body();
      int last = body.size() - 1;
      if (last < 0 || !(body.get(last) instanceof Stmt.Return end) || end.value() == null) {
        return null;
      }
      Expr value = bare(end.value());
      if (value instanceof Expr.Name name
          && last > 0
          && body.get(last - 1) instanceof Stmt.Assign assign
          && assign.targets().size() == 1
          && assign.targets().get(0) instanceof Expr.Name target
          && target.id().equals(name.id())
          && assign.value() != null) {
        return new End(bare(assign.value()), last - 1);
      }
      return new End(value, last);
    }
  }

  /** The name of {@code self.name}; null if it is another expression. */
  private static @Nullable String ownAttribute(Stmt.Function method, @Nullable Expr value) {
    return value != null
            && bare(value) instanceof Expr.Attribute attribute
            && bare(attribute.value()) instanceof Expr.Name self
            && self.id().equals(method.parameters().get(0).name())
        ? attribute.name()
        : null;
  }

  private static Expr bare(Expr expression) {
    Expr bare = expression;
    while (bare instanceof Expr.Paren paren) {
      bare = paren.inner();
    }
    return bare;
  }
}
