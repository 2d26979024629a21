package io.camhook.torchscript.twin;

import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.flow.OperatorResults;
import io.camhook.torchscript.flow.Operators;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.source.VariableUse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The input of the last global pooling that all data passes through on its way to the scores. In an
 * archive whose modules were inlined, {@code auto} means this value.
 */
public final class PooledValue {
  private static final Set<String> REDUCTIONS = Set.of("mean", "amax", "sum");

  /** A value held by one or more variables, with the operator that wrote it last. */
  private static final class Cell {
    private @Nullable CallSite writer;
  }

  private final MethodContext root;
  private final Map<String, Cell> cells = new HashMap<>();

  private PooledValue(MethodContext root) {
    this.root = root;
  }

  /**
   * The operator that makes the value; null if there is no such pooling, or if it depends on a
   * branch.
   */
  public static @Nullable CallSite of(MethodContext root, CallPaths ways) {
    List<CallSite> sites = new ArrayList<>(root.sites());
    Collections.reverse(sites);
    for (CallSite site : sites) {
      if (site.isOperator() && poolsGlobally(site)) {
        List<CallSite> way = ways.to(site);
        if (way != null && SpanWriter.from("camhook", way, SpanWriter.PLAIN) != null) {
          return new PooledValue(root).before(site);
        }
      }
    }
    return null;
  }

  private static boolean poolsGlobally(CallSite site) {
    List<Expr.Argument> arguments = site.call().arguments();
    if (arguments.size() < 2 || !(arguments.get(1).value() instanceof Expr.ListOf sizes)) {
      return false;
    }
    String operator = site.operator();
    if (operator.startsWith("adaptive_avg_pool") || operator.startsWith("adaptive_max_pool")) {
      return sizes.items().stream().allMatch(size -> Printer.print(size).equals("1"));
    }
    String over = Printer.print(sizes);
    return REDUCTIONS.contains(operator)
        && Set.of("[2, 3]", "[-1, -2]", "[-2, -1]", "[2, 3, 4]", "[-3, -2, -1]").contains(over);
  }

  private @Nullable CallSite before(CallSite pool) {
    for (Stmt statement : root.method().body()) {
      if (pool.call().start() < statement.end()) {
        break;
      }
      if (statement instanceof Stmt.Assign assign
          && assign.targets().size() == 1
          && assign.targets().get(0) instanceof Expr.Name name
          && assign.value() != null) {
        cells.put(name.id(), cell(assign.value()));
      } else if (statement instanceof Stmt.Evaluate evaluate) {
        cell(evaluate.value());
      } else {
        VariableUse names = new VariableUse(null);
        names.add(statement);
        names.assigned().forEach(cells::remove);
      }
    }
    return cell(pool.call().arguments().get(0).value()).writer;
  }

  private Cell cell(Expr value) {
    if (value instanceof Expr.Paren paren) {
      return cell(paren.inner());
    }
    if (value instanceof Expr.Name name) {
      return cells.getOrDefault(name.id(), new Cell());
    }
    CallSite site = value instanceof Expr.Call call ? root.site(call) : null;
    if (site == null || !site.isOperator() || !isTensor(site)) {
      return new Cell();
    }
    boolean inPlace = Operators.isInPlace(site.dotted());
    Cell cell = inPlace ? cell(site.call().arguments().get(0).value()) : new Cell();
    cell.writer = site;
    return cell;
  }

  private static boolean isTensor(CallSite site) {
    Expr type = site.returns();
    return type != null && Printer.print(type).equals(OperatorResults.TENSOR);
  }
}
