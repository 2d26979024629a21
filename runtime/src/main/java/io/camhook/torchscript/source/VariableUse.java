package io.camhook.torchscript.source;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The variables that a piece of a method reads and assigns. */
public final class VariableUse {
  private final Set<String> read = new HashSet<>();
  private final Set<String> assigned = new HashSet<>();
  private final @Nullable Expr leftOut;
  private boolean calls;

  /**
   * @param leftOut an expression that is not looked into
   */
  public VariableUse(@Nullable Expr leftOut) {
    this.leftOut = leftOut;
  }

  public Set<String> read() {
    return read;
  }

  public Set<String> assigned() {
    return assigned;
  }

  /** Whether anything but an attribute lookup is called. */
  public boolean calls() {
    return calls;
  }

  public void add(Stmt statement) {
    if (statement instanceof Stmt.Assign s) {
      s.targets().forEach(this::target);
      add(s.value());
      return;
    }
    if (statement instanceof Stmt.Augment s) {
      target(s.target());
    } else if (statement instanceof Stmt.For s) {
      target(s.target());
    } else if (statement instanceof Stmt.With s) {
      for (Stmt.Context context : s.contexts()) {
        if (context.target() != null) {
          target(context.target());
        }
      }
    }
    SubExpressions.of(statement, this::add, this::add);
  }

  private void target(Expr target) {
    if (target instanceof Expr.Name name) {
      assigned.add(name.id());
    } else if (target instanceof Expr.Tuple tuple) {
      tuple.items().forEach(this::target);
    } else if (target instanceof Expr.Paren paren) {
      target(paren.inner());
    } else {
      calls = true; // an attribute or element is set, so more than a variable changes
      add(target);
    }
  }

  private void add(@Nullable Expr expression) {
    if (expression == null || expression == leftOut) {
      return;
    }
    if (expression instanceof Expr.Name e) {
      read.add(e.id());
    } else if (expression instanceof Expr.Call e) {
      calls |= !"getattr".equals(Literals.dotted(e.function()));
    }
    SubExpressions.of(expression, this::add);
  }
}
