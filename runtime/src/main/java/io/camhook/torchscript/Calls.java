package io.camhook.torchscript;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Every call that is written in the body of a method, the inner before the outer. */
final class Calls {
  private final List<Expr.Call> found = new ArrayList<>();

  private Calls() {}

  static List<Expr.Call> in(Stmt.Function function) {
    Calls calls = new Calls();
    function.body().forEach(calls::add);
    return calls.found;
  }

  private void add(Stmt statement) {
    if (statement instanceof Stmt.Assign s) {
      s.targets().forEach(this::add);
      add(s.value());
    } else if (statement instanceof Stmt.Augment s) {
      add(s.target());
      add(s.value());
    } else if (statement instanceof Stmt.Evaluate s) {
      add(s.value());
    } else if (statement instanceof Stmt.Return s) {
      add(s.value());
    } else if (statement instanceof Stmt.Prefixed s) {
      add(s.value());
    } else if (statement instanceof Stmt.If s) {
      add(s.condition());
      s.then().forEach(this::add);
      s.otherwise().forEach(this::add);
    } else if (statement instanceof Stmt.While s) {
      add(s.condition());
      s.body().forEach(this::add);
    } else if (statement instanceof Stmt.For s) {
      add(s.iterable());
      s.body().forEach(this::add);
    } else if (statement instanceof Stmt.With s) {
      s.contexts().forEach(context -> add(context.value()));
      s.body().forEach(this::add);
    }
  }

  private void add(@Nullable Expr expression) {
    if (expression instanceof Expr.Call e) {
      add(e.function());
      e.arguments().forEach(argument -> add(argument.value()));
      found.add(e);
    } else if (expression instanceof Expr.Attribute e) {
      add(e.value());
    } else if (expression instanceof Expr.Index e) {
      add(e.value());
      e.items().forEach(this::add);
    } else if (expression instanceof Expr.Slice e) {
      add(e.lower());
      add(e.upper());
      add(e.step());
    } else if (expression instanceof Expr.Tuple e) {
      e.items().forEach(this::add);
    } else if (expression instanceof Expr.Paren e) {
      add(e.inner());
    } else if (expression instanceof Expr.ListOf e) {
      e.items().forEach(this::add);
    } else if (expression instanceof Expr.Dict e) {
      e.keys().forEach(this::add);
      e.values().forEach(this::add);
    } else if (expression instanceof Expr.Comprehension e) {
      add(e.key());
      add(e.element());
      add(e.iterable());
      add(e.condition());
    } else if (expression instanceof Expr.Unary e) {
      add(e.operand());
    } else if (expression instanceof Expr.Binary e) {
      add(e.left());
      add(e.right());
    } else if (expression instanceof Expr.Ternary e) {
      add(e.then());
      add(e.condition());
      add(e.otherwise());
    }
  }
}
