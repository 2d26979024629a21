package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.ModuleTree;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.SourceTree;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the operators of modules in an inlined {@code forward}, if the modules and their code are
 * still in the archive: the same operators with the same parameters in the same order. A module
 * without parameters is found inside one that has parameters, or where the operators that no other
 * module accounts for fit this module alone. The value of a module is that of its last operator, if
 * its code returns that value.
 */
public final class InlinedModules {
  private final String where;
  private final SourceTree sources;
  private final ModuleTree modules;
  private final List<OperatorTrace.Step> steps;
  private final BitSet covered = new BitSet();
  private final Map<String, Expr.Call> found = new LinkedHashMap<>();
  private final List<OperatorTrace> others = new ArrayList<>();

  private InlinedModules(
      String where, SourceTree sources, ModuleTree modules, List<OperatorTrace.Step> steps) {
    this.where = where;
    this.sources = sources;
    this.modules = modules;
    this.steps = steps;
  }

  /**
   * By module path, the call of the operator whose value is what the module returned.
   *
   * @throws ArchiveException if the code is too large to follow
   */
  public static Map<String, Expr.Call> of(String where, SourceTree sources, ModuleTree modules)
      throws ArchiveException {
    OperatorTrace root = ProgramWalker.trace(where, sources, modules, modules.root());
    InlinedModules inlined = new InlinedModules(where, sources, modules, root.steps());
    for (ModuleNode child : modules.root().children().values()) {
      inlined.find(child);
    }
    inlined.findOthers();
    return inlined.found;
  }

  private void find(ModuleNode module) {
    OperatorTrace trace = trace(module);
    if (trace != null && trace.hasParameters()) {
      List<Integer> places = places(trace, false);
      if (places.size() == 1) {
        place(trace, places.get(0));
        return;
      }
    } else if (trace != null && trace.size() > 0) {
      others.add(trace);
      return;
    }
    for (ModuleNode child : module.children().values()) {
      find(child);
    }
  }

  /** Null for a module that cannot be called, such as a list of modules. */
  private @Nullable OperatorTrace trace(ModuleNode module) {
    SourceTree.ClassSource source = sources.type(module.type());
    if (source == null || source.method("forward") == null) {
      return null;
    }
    try {
      return ProgramWalker.trace(where, sources, modules, module);
    } catch (ArchiveException e) {
      return null; // too large to follow: its operators have their names all the same
    }
  }

  private void findOthers() {
    for (OperatorTrace trace : others) {
      List<Integer> places = places(trace, true);
      boolean alone = others.stream().filter(other -> isSame(other, trace)).count() == 1;
      if (alone && places.size() == 1) {
        place(trace, places.get(0));
      }
    }
  }

  private static boolean isSame(OperatorTrace one, OperatorTrace other) {
    if (one.size() != other.size()) {
      return false;
    }
    for (int i = 0; i < one.size(); i++) {
      if (!one.steps().get(i).isSame(other.steps().get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The positions at which the steps of a trace occur in the model's. */
  private List<Integer> places(OperatorTrace trace, boolean uncovered) {
    List<Integer> places = new ArrayList<>();
    for (int at = 0; at + trace.size() <= steps.size(); at++) {
      int covering = covered.nextSetBit(at);
      boolean free = covering < 0 || covering >= at + trace.size();
      boolean fits = !uncovered || free;
      for (int i = 0; fits && i < trace.size(); i++) {
        fits = steps.get(at + i).isSame(trace.steps().get(i));
      }
      if (fits) {
        places.add(at);
      }
    }
    return places;
  }

  private void place(OperatorTrace trace, int at) {
    covered.set(at, at + trace.size());
    for (OperatorTrace.Span span : trace.spans()) {
      CallSite site = span.end() == 0 ? null : steps.get(at + span.end() - 1).site();
      if (site != null && trace.endsWithItsLast(span)) {
        found.putIfAbsent(span.module().path(), site.call());
      }
    }
  }
}
