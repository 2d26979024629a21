package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Calls;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.SourceFile;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.SubExpressions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a model keeps state from one call to the next, that is whether its code assigns a
 * module's attribute or changes an attribute's value in place. Writes that happen only in training
 * do not count. If in doubt, the answer is yes.
 */
public final class StateWrites {
  private static final String TRAINING = "training";

  private final String method;
  private final Set<String> held = new HashSet<>();
  private final Set<String> training = new HashSet<>();
  private @Nullable String found;

  private StateWrites(String method) {
    this.method = method;
  }

  /** A description of the first such place; empty if there is none. */
  public static Optional<String> in(SourceTree sources) {
    Set<String> called = new HashSet<>();
    Deque<Stmt.Function> toLookAt = new ArrayDeque<>();
    for (SourceFile file : sources.files().values()) {
      for (Stmt statement : file.statements()) {
        if (statement instanceof Stmt.ClassDef type) {
          type.body().stream()
              .filter(Stmt.Function.class::isInstance)
              .map(Stmt.Function.class::cast)
              .forEach(toLookAt::add);
        } else if (statement instanceof Stmt.Function function) {
          toLookAt.add(function);
        }
      }
    }
    for (Stmt.Function function : toLookAt) {
      for (Expr.Call call : Calls.in(function)) {
        called.add(nameOf(call.function()));
      }
    }
    return toLookAt.stream()
        .filter(f -> f.name().startsWith("forward") || called.contains(f.name()))
        .filter(f -> !f.name().startsWith("__")) // constructors of tuples
        .map(StateWrites::in)
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> in(Stmt.Function function) {
    StateWrites writes = new StateWrites(function.name());
    function.body().forEach(writes::look);
    return Optional.ofNullable(writes.found);
  }

  /** The last part of {@code a.b.c}. */
  private static String nameOf(Expr function) {
    if (function instanceof Expr.Attribute attribute) {
      return attribute.name();
    }
    return function instanceof Expr.Name name ? name.id() : "";
  }

  private void look(Stmt statement) {
    if (statement instanceof Stmt.If choice && isTraining(choice.condition())) {
      choice.otherwise().forEach(this::look);
      return;
    }
    if (statement instanceof Stmt.Assign assign) {
      look(assign.value());
      assign.targets().forEach(target -> assigned(target, assign.value()));
      return;
    }
    if (statement instanceof Stmt.Augment augment) {
      look(augment.value());
      assigned(augment.target(), null);
      return;
    }
    SubExpressions.of(statement, this::look, this::look);
  }

  private void assigned(Expr target, @Nullable Expr value) {
    if (target instanceof Expr.Attribute attribute) {
      found("assigns ." + attribute.name());
    } else if (target instanceof Expr.Index index) {
      if (isHeld(index.value())) {
        found("assigns an element of a module's attribute");
      }
    } else if (target instanceof Expr.Name name) {
      forget(name.id());
      if (value != null && isHeld(value)) {
        held.add(name.id());
      }
      if (value != null && isTraining(value)) {
        training.add(name.id());
      }
    } else if (target instanceof Expr.Tuple tuple) {
      tuple.items().forEach(item -> assigned(item, value));
    } else if (target instanceof Expr.Paren paren) {
      assigned(paren.inner(), value);
    }
  }

  private void forget(String variable) {
    held.remove(variable);
    training.remove(variable);
  }

  private void look(@Nullable Expr expression) {
    if (expression == null) {
      return;
    }
    SubExpressions.of(expression, this::look);
    if (expression instanceof Expr.Call call && !call.arguments().isEmpty()) {
      String operator = nameOf(call.function());
      boolean writes = Operators.isInPlace(operator) || Operators.storesIntoContainer(operator);
      if (writes && isHeld(call.arguments().get(0).value())) {
        found("calls " + operator + " on what a module holds");
      }
    }
  }

  private void found(String what) {
    if (found == null) {
      found = method + " " + what;
    }
  }

  /** Whether a value may be, or share memory with, what an attribute of a module holds. */
  private boolean isHeld(Expr value) {
    if (value instanceof Expr.Paren paren) {
      return isHeld(paren.inner());
    }
    if (value instanceof Expr.Name name) {
      return held.contains(name.id());
    }
    if (value instanceof Expr.Attribute attribute) {
      return isOfModule(attribute);
    }
    if (value instanceof Expr.Index index) {
      return isHeld(index.value());
    }
    if (value instanceof Expr.Tuple tuple) {
      return tuple.items().stream().anyMatch(this::isHeld);
    }
    if (value instanceof Expr.Ternary choice) {
      return isHeld(choice.then()) || isHeld(choice.otherwise());
    }
    if (value instanceof Expr.Call call && !call.arguments().isEmpty()) {
      String operator = nameOf(call.function());
      boolean passes =
          operator.equals("getattr")
              || operator.equals("unchecked_cast")
              || operator.equals("annotate")
              || Operators.mayAlias(operator);
      int last = call.arguments().size() - 1;
      return passes
          && (operator.equals("getattr")
              || isHeld(call.arguments().get(0).value())
              || isHeld(call.arguments().get(last).value()));
    }
    return false;
  }

  /** {@code self.a.b}, or below a variable that a module was assigned to; not {@code torch.pi}. */
  private static boolean isOfModule(Expr.Attribute attribute) {
    Expr owner = attribute.value();
    while (owner instanceof Expr.Paren paren) {
      owner = paren.inner();
    }
    if (owner instanceof Expr.Attribute above) {
      return isOfModule(above);
    }
    if (owner instanceof Expr.Call call) {
      return nameOf(call.function()).equals("getattr");
    }
    String dotted = Literals.dotted(attribute);
    return owner instanceof Expr.Name
        && dotted != null
        && !dotted.startsWith("torch.")
        && !dotted.startsWith("ops.")
        && !dotted.startsWith("__torch__.")
        && !dotted.startsWith("CONSTANTS.");
  }

  private boolean isTraining(Expr condition) {
    if (condition instanceof Expr.Paren paren) {
      return isTraining(paren.inner());
    }
    if (condition instanceof Expr.Call call && nameOf(call.function()).equals("bool")) {
      return isTraining(call.arguments().get(0).value());
    }
    if (condition instanceof Expr.Binary both && both.operator().equals("and")) {
      return isTraining(both.left()) || isTraining(both.right());
    }
    return condition instanceof Expr.Attribute attribute
        ? attribute.name().equals(TRAINING)
        : condition instanceof Expr.Name name
            && (name.id().equals(TRAINING) || training.contains(name.id()));
  }
}
