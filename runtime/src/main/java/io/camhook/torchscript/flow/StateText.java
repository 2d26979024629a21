package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.VariableUse;
import org.jspecify.annotations.Nullable;

/** Expressions whose value is the same in every pass: parameters, constants, None. */
final class StateText {
  private static final int DEEPEST = 200;

  private StateText() {}

  /**
   * The text of an expression of a method without its variables, for another method of the class.
   *
   * @return null if it uses more than constants and attributes of self
   */
  static @Nullable String of(Stmt.Function method, @Nullable Expr expression) {
    return of(method, expression, 0);
  }

  private static @Nullable String of(Stmt.Function method, @Nullable Expr expression, int depth) {
    if (depth > DEEPEST) {
      return null;
    }
    if (expression instanceof Expr.Paren paren) {
      return of(method, paren.inner(), depth + 1);
    }
    if (expression instanceof Expr.Name name) {
      boolean fixed =
          name.id().equals("None")
              || name.id().equals("CONSTANTS")
              || name.id().equals(method.parameters().get(0).name());
      return fixed ? name.id() : of(method, assigned(method, name.id()), depth + 1);
    }
    if (expression instanceof Expr.Attribute attribute) {
      String owner = of(method, attribute.value(), depth + 1);
      return owner == null ? null : owner + "." + attribute.name();
    }
    if (expression instanceof Expr.Call call
        && "getattr".equals(Literals.dotted(call.function()))
        && call.arguments().size() == 2
        && call.arguments().get(1).value() instanceof Expr.Str key) {
      String owner = of(method, call.arguments().get(0).value(), depth + 1);
      return owner == null
          ? null
          : "getattr(" + owner + ", " + Literals.quote(Literals.text(key)) + ")";
    }
    return null;
  }

  /** The only value assigned to a variable of a method; null if there are several. */
  private static @Nullable Expr assigned(Stmt.Function method, String variable) {
    Expr value = null;
    for (Stmt statement : method.body()) {
      VariableUse names = new VariableUse(null);
      names.add(statement);
      if (names.assigned().contains(variable)) {
        boolean alone = statement instanceof Stmt.Assign s && s.targets().size() == 1;
        if (value != null
            || !alone
            || !(((Stmt.Assign) statement).targets().get(0) instanceof Expr.Name)) {
          return null;
        }
        value = ((Stmt.Assign) statement).value();
      }
    }
    return value;
  }
}
