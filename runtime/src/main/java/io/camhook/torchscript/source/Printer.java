package io.camhook.torchscript.source;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes a syntax tree as {@code torch.jit.save} does: two spaces, one parameter per line. */
public final class Printer {
  private final StringBuilder out = new StringBuilder();

  private Printer() {}

  public static String print(List<? extends Stmt> statements) {
    Printer printer = new Printer();
    statements.forEach(s -> printer.statement(s, 0));
    return printer.out.toString();
  }

  public static String print(Expr expression) {
    Printer printer = new Printer();
    printer.expression(expression);
    return printer.out.toString();
  }

  private void block(List<Stmt> body, int indent) {
    body.forEach(s -> statement(s, indent));
  }

  private void statement(Stmt statement, int indent) {
    if (statement instanceof Stmt.Blank blank) {
      out.append(blank.text()).append('\n');
      return;
    }
    out.append(" ".repeat(indent));
    if (statement instanceof Stmt.ClassDef s) {
      out.append("class ").append(s.name());
      if (!s.bases().isEmpty()) {
        out.append('(');
        list(s.bases(), false);
        out.append(')');
      }
      head(s.comment());
      block(s.body(), indent + 2);
    } else if (statement instanceof Stmt.Function s) {
      function(s, indent);
    } else if (statement instanceof Stmt.If s) {
      ifStatement(s, indent);
    } else if (statement instanceof Stmt.While s) {
      out.append("while ");
      expression(s.condition());
      head(s.comment());
      block(s.body(), indent + 2);
    } else if (statement instanceof Stmt.For s) {
      out.append("for ");
      expression(s.target());
      out.append(" in ");
      expression(s.iterable());
      head(s.comment());
      block(s.body(), indent + 2);
    } else if (statement instanceof Stmt.With s) {
      with(s, indent);
    } else {
      simple(statement);
    }
  }

  private void simple(Stmt statement) {
    String comment;
    if (statement instanceof Stmt.Assign s) {
      assign(s);
      comment = s.comment();
    } else if (statement instanceof Stmt.Augment s) {
      expression(s.target());
      out.append(' ').append(s.operator()).append(' ');
      expression(s.value());
      comment = s.comment();
    } else if (statement instanceof Stmt.Return s) {
      out.append("return");
      if (s.value() != null) {
        out.append(' ');
        expression(s.value());
      }
      comment = s.comment();
    } else if (statement instanceof Stmt.Keyword s) {
      out.append(s.word());
      comment = s.comment();
    } else if (statement instanceof Stmt.Prefixed s) {
      out.append(s.word()).append(' ');
      expression(s.value());
      comment = s.comment();
    } else {
      Stmt.Evaluate s = (Stmt.Evaluate) statement;
      expression(s.value());
      comment = s.comment();
    }
    lineEnd(comment);
  }

  private void assign(Stmt.Assign s) {
    for (int i = 0; i < s.targets().size(); i++) {
      if (i > 0) {
        out.append(" = ");
      }
      expression(s.targets().get(i));
    }
    if (s.annotation() != null) {
      out.append(s.spaceBeforeColon() ? " : " : ": ");
      expression(s.annotation());
    }
    if (s.value() != null) {
      out.append(" = ");
      expression(s.value());
    }
  }

  private void function(Stmt.Function s, int indent) {
    out.append("def ").append(s.name()).append('(');
    // torch writes the methods of an interface, alone with a bare self, on one line
    boolean oneLine =
        indent > 0 && !s.parameters().isEmpty() && s.parameters().get(0).type() == null;
    String between = oneLine ? ", " : ",\n" + " ".repeat(indent == 0 ? 4 : indent + 2);
    for (int i = 0; i < s.parameters().size(); i++) {
      if (i > 0) {
        out.append(between);
      }
      Stmt.Parameter p = s.parameters().get(i);
      out.append(p.star()).append(p.name());
      if (p.type() != null) {
        out.append(": ");
        expression(p.type());
      }
      if (p.defaultValue() != null) {
        out.append('=');
        expression(p.defaultValue());
      }
    }
    out.append(')');
    if (s.returns() != null) {
      out.append(" -> ");
      expression(s.returns());
    }
    head(s.comment());
    block(s.body(), indent + 2);
  }

  private void ifStatement(Stmt.If s, int indent) {
    out.append("if ");
    expression(s.condition());
    head(s.comment());
    block(s.then(), indent + 2);
    if (s.elif()) {
      out.append(" ".repeat(indent)).append("el");
      ifStatement((Stmt.If) s.otherwise().get(0), indent);
    } else if (!s.otherwise().isEmpty()) {
      out.append(" ".repeat(indent)).append("else:\n");
      block(s.otherwise(), indent + 2);
    }
  }

  private void with(Stmt.With s, int indent) {
    out.append("with ");
    for (int i = 0; i < s.contexts().size(); i++) {
      out.append(i > 0 ? ", " : "");
      Stmt.Context context = s.contexts().get(i);
      expression(context.value());
      if (context.target() != null) {
        out.append(" as ");
        expression(context.target());
      }
    }
    head(s.comment());
    block(s.body(), indent + 2);
  }

  private void head(@Nullable String comment) {
    out.append(':');
    lineEnd(comment);
  }

  private void lineEnd(@Nullable String comment) {
    if (comment != null) {
      out.append("  ").append(comment);
    }
    out.append('\n');
  }

  private void expression(Expr expression) {
    if (expression instanceof Expr.Name e) {
      out.append(e.id());
    } else if (expression instanceof Expr.Num e) {
      out.append(e.text());
    } else if (expression instanceof Expr.Str e) {
      out.append(String.join(" ", e.literals()));
    } else if (expression instanceof Expr.Ellipsis) {
      out.append("...");
    } else if (expression instanceof Expr.Attribute e) {
      expression(e.value());
      out.append('.').append(e.name());
    } else if (expression instanceof Expr.Call e) {
      call(e);
    } else if (expression instanceof Expr.Index e) {
      expression(e.value());
      out.append('[');
      list(e.items(), e.trailingComma());
      out.append(']');
    } else if (expression instanceof Expr.Slice e) {
      slice(e);
    } else if (expression instanceof Expr.Tuple e) {
      list(e.items(), e.trailingComma());
    } else if (expression instanceof Expr.Paren e) {
      out.append('(');
      expression(e.inner());
      out.append(')');
    } else if (expression instanceof Expr.ListOf e) {
      out.append('[');
      list(e.items(), e.trailingComma());
      out.append(e.trailingComma() ? " ]" : "]");
    } else if (expression instanceof Expr.Dict e) {
      dict(e);
    } else if (expression instanceof Expr.Comprehension e) {
      comprehension(e);
    } else if (expression instanceof Expr.Unary e) {
      out.append(e.operator()).append(e.operator().equals("not") ? " " : "");
      expression(e.operand());
    } else if (expression instanceof Expr.Binary e) {
      expression(e.left());
      out.append(' ').append(e.operator()).append(' ');
      expression(e.right());
    } else {
      Expr.Ternary e = (Expr.Ternary) expression;
      expression(e.then());
      out.append(" if ");
      expression(e.condition());
      out.append(" else ");
      expression(e.otherwise());
    }
  }

  private void call(Expr.Call e) {
    expression(e.function());
    out.append('(');
    for (int i = 0; i < e.arguments().size(); i++) {
      out.append(i > 0 ? ", " : "");
      Expr.Argument argument = e.arguments().get(i);
      if (argument.name() != null) {
        out.append(argument.name()).append('=');
      }
      expression(argument.value());
    }
    out.append(e.trailingComma() ? ", )" : ")");
  }

  private void slice(Expr.Slice e) {
    optional(e.lower());
    out.append(':');
    optional(e.upper());
    if (e.secondColon()) {
      out.append(':');
      optional(e.step());
    }
  }

  private void dict(Expr.Dict e) {
    out.append('{');
    for (int i = 0; i < e.keys().size(); i++) {
      out.append(i > 0 ? ", " : "");
      expression(e.keys().get(i));
      out.append(": ");
      expression(e.values().get(i));
    }
    out.append(e.trailingComma() ? ", }" : "}");
  }

  private void comprehension(Expr.Comprehension e) {
    out.append(e.key() == null ? '[' : '{');
    if (e.key() != null) {
      expression(e.key());
      out.append(": ");
    }
    expression(e.element());
    out.append(" for ");
    expression(e.target());
    out.append(" in ");
    expression(e.iterable());
    if (e.condition() != null) {
      out.append(" if ");
      expression(e.condition());
    }
    out.append(e.key() == null ? ']' : '}');
  }

  private void optional(@Nullable Expr e) {
    if (e != null) {
      expression(e);
    }
  }

  private void list(List<Expr> items, boolean trailingComma) {
    for (int i = 0; i < items.size(); i++) {
      out.append(i > 0 ? ", " : "");
      expression(items.get(i));
    }
    out.append(trailingComma ? "," : "");
  }
}
