package io.camhook.torchscript.source;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Every call that is written in the body of a method, the inner before the outer. */
public final class Calls {
  private final List<Expr.Call> found = new ArrayList<>();

  private Calls() {}

  public static List<Expr.Call> in(Stmt.Function function) {
    Calls calls = new Calls();
    function.body().forEach(calls::add);
    return calls.found;
  }

  private void add(Stmt statement) {
    SubExpressions.of(statement, this::add, this::add);
  }

  private void add(@Nullable Expr expression) {
    if (expression == null) {
      return;
    }
    SubExpressions.of(expression, this::add);
    if (expression instanceof Expr.Call call) {
      found.add(call);
    }
  }
}
