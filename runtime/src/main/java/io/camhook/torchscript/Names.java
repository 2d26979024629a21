package io.camhook.torchscript;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The variables that a piece of a method reads and assigns. */
final class Names {
  private final Set<String> read = new HashSet<>();
  private final Set<String> assigned = new HashSet<>();
  private final @Nullable Expr leftOut;
  private boolean calls;

  /**
   * @param leftOut an expression that is not looked into
   */
  Names(@Nullable Expr leftOut) {
    this.leftOut = leftOut;
  }

  Set<String> read() {
    return read;
  }

  Set<String> assigned() {
    return assigned;
  }

  /** Whether anything but an attribute lookup is called. */
  boolean calls() {
    return calls;
  }

  void add(Stmt statement) {
    if (statement instanceof Stmt.Assign s) {
      s.targets().forEach(this::target);
      add(s.value());
    } else if (statement instanceof Stmt.Augment s) {
      target(s.target());
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
      target(s.target());
      add(s.iterable());
      s.body().forEach(this::add);
    } else if (statement instanceof Stmt.With s) {
      for (Stmt.Context context : s.contexts()) {
        add(context.value());
        if (context.target() != null) {
          target(context.target());
        }
      }
      s.body().forEach(this::add);
    }
  }

  private void target(Expr target) {
    if (target instanceof Expr.Name name) {
      assigned.add(name.id());
    } else if (target instanceof Expr.Tuple tuple) {
      tuple.items().forEach(this::target);
    } else if (target instanceof Expr.Paren paren) {
      target(paren.inner());
    } else {
      calls = true; // an attribute or element is set: more than a variable changes
      add(target);
    }
  }

  private void add(@Nullable Expr expression) {
    if (expression == null || expression == leftOut) {
      return;
    }
    if (expression instanceof Expr.Name e) {
      read.add(e.id());
    } else if (expression instanceof Expr.Attribute e) {
      add(e.value());
    } else if (expression instanceof Expr.Call e) {
      calls |= !"getattr".equals(Literals.dotted(e.function()));
      add(e.function());
      e.arguments().forEach(a -> add(a.value()));
    } else if (expression instanceof Expr.Index e) {
      add(e.value());
      addAll(e.items());
    } else if (expression instanceof Expr.Slice e) {
      add(e.lower());
      add(e.upper());
      add(e.step());
    } else if (expression instanceof Expr.Tuple e) {
      addAll(e.items());
    } else if (expression instanceof Expr.Paren e) {
      add(e.inner());
    } else if (expression instanceof Expr.ListOf e) {
      addAll(e.items());
    } else if (expression instanceof Expr.Dict e) {
      addAll(e.keys());
      addAll(e.values());
    } else if (expression instanceof Expr.Comprehension e) {
      add(e.key());
      add(e.element());
      add(e.target());
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

  private void addAll(List<Expr> expressions) {
    expressions.forEach(this::add);
  }
}
