package io.camhook.torchscript.source;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The direct children of statements and expressions, in text order. */
public final class SubExpressions {
  private SubExpressions() {}

  /**
   * Passes on the direct child expressions and statements of a statement, except the targets of a
   * loop or a {@code with}.
   */
  public static void of(
      Stmt statement, Consumer<@Nullable Expr> expressions, Consumer<Stmt> statements) {
    if (statement instanceof Stmt.Assign s) {
      s.targets().forEach(expressions);
      expressions.accept(s.value());
    } else if (statement instanceof Stmt.Augment s) {
      expressions.accept(s.target());
      expressions.accept(s.value());
    } else if (statement instanceof Stmt.Evaluate s) {
      expressions.accept(s.value());
    } else if (statement instanceof Stmt.Return s) {
      expressions.accept(s.value());
    } else if (statement instanceof Stmt.Prefixed s) {
      expressions.accept(s.value());
    } else if (statement instanceof Stmt.If s) {
      expressions.accept(s.condition());
      s.then().forEach(statements);
      s.otherwise().forEach(statements);
    } else if (statement instanceof Stmt.While s) {
      expressions.accept(s.condition());
      s.body().forEach(statements);
    } else if (statement instanceof Stmt.For s) {
      expressions.accept(s.iterable());
      s.body().forEach(statements);
    } else if (statement instanceof Stmt.With s) {
      s.contexts().forEach(context -> expressions.accept(context.value()));
      s.body().forEach(statements);
    }
  }

  /** Passes on the direct child expressions of an expression; null if one is left out. */
  public static void of(Expr expression, Consumer<@Nullable Expr> parts) {
    if (expression instanceof Expr.Call e) {
      parts.accept(e.function());
      e.arguments().forEach(argument -> parts.accept(argument.value()));
    } else if (expression instanceof Expr.Attribute e) {
      parts.accept(e.value());
    } else if (expression instanceof Expr.Index e) {
      parts.accept(e.value());
      e.items().forEach(parts);
    } else if (expression instanceof Expr.Slice e) {
      parts.accept(e.lower());
      parts.accept(e.upper());
      parts.accept(e.step());
    } else if (expression instanceof Expr.Tuple e) {
      e.items().forEach(parts);
    } else if (expression instanceof Expr.Paren e) {
      parts.accept(e.inner());
    } else if (expression instanceof Expr.ListOf e) {
      e.items().forEach(parts);
    } else if (expression instanceof Expr.Dict e) {
      e.keys().forEach(parts);
      e.values().forEach(parts);
    } else if (expression instanceof Expr.Comprehension e) {
      parts.accept(e.key());
      parts.accept(e.element());
      parts.accept(e.target());
      parts.accept(e.iterable());
      parts.accept(e.condition());
    } else if (expression instanceof Expr.Unary e) {
      parts.accept(e.operand());
    } else if (expression instanceof Expr.Binary e) {
      parts.accept(e.left());
      parts.accept(e.right());
    } else if (expression instanceof Expr.Ternary e) {
      parts.accept(e.then());
      parts.accept(e.condition());
      parts.accept(e.otherwise());
    }
  }
}
