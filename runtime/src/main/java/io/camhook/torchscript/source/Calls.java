package io.camhook.torchscript.source;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Every call in the text of a method's body, inner calls before outer ones. */
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
