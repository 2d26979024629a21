package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.SubExpressions;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The last place in a method's text at which each of its variables is read. */
final class LastReads {
  private final Map<String, Integer> last = new HashMap<>();

  private LastReads() {}

  /**
   * The offset of the last read, by variable name; there is no entry for a variable that is never
   * read.
   */
  static Map<String, Integer> of(Stmt.Function function) {
    LastReads reads = new LastReads();
    function.body().forEach(reads::add);
    return reads.last;
  }

  private void add(Stmt statement) {
    if (statement instanceof Stmt.Assign s) {
      s.targets().forEach(this::target);
      add(s.value());
    } else {
      SubExpressions.of(statement, this::add, this::add);
    }
  }

  /** Assigning to a variable does not read it; assigning to one of its elements does. */
  private void target(Expr target) {
    if (target instanceof Expr.Tuple tuple) {
      tuple.items().forEach(this::target);
    } else if (target instanceof Expr.Paren paren) {
      target(paren.inner());
    } else if (!(target instanceof Expr.Name)) {
      add(target);
    }
  }

  private void add(@Nullable Expr expression) {
    if (expression instanceof Expr.Name name) {
      last.merge(name.id(), name.start(), Math::max);
    } else if (expression != null) {
      SubExpressions.of(expression, this::add);
    }
  }
}
