package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.ModuleTree;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.SourceTree;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the operators of modules in an inlined {@code forward}, if the modules and their code are
 * still in the archive: the same operators with the same parameters in the same order. The value of
 * a module is that of the operator that its code returns. A module that is called twice, that is in
 * both branches of an {@code if}, or that returns a tuple has several.
 *
 * <p>Nothing tells the operators of a module without parameters from the same operators elsewhere.
 * They are found inside a module that has parameters, or where what no module accounts for fits
 * this module alone and once.
 */
public final class InlinedModules {
  private final String where;
  private final SourceTree sources;
  private final ModuleTree modules;
  private final List<OperatorTrace.Step> steps;
  private final BitSet covered = new BitSet();
  private final Set<ModuleNode> placed = new HashSet<>();
  private final Map<String, Set<Expr.Call>> found = new LinkedHashMap<>();
  private final Map<String, Set<Expr.Call>> unclear = new LinkedHashMap<>();
  private final List<OperatorTrace> others = new ArrayList<>();

  /**
   * What was found.
   *
   * @param values by module path, the calls of the operators whose values the module returned
   * @param unclear by module path, the calls that may be the module's, or another's
   */
  public record Found(Map<String, Set<Expr.Call>> values, Map<String, Set<Expr.Call>> unclear) {
    /** For an archive that is not inlined. */
    public static final Found NONE = new Found(Map.of(), Map.of());
  }

  private InlinedModules(
      String where, SourceTree sources, ModuleTree modules, List<OperatorTrace.Step> steps) {
    this.where = where;
    this.sources = sources;
    this.modules = modules;
    this.steps = steps;
  }

  /**
   * Looks for every module.
   *
   * @throws ArchiveException if the code is too large to follow
   */
  public static Found of(String where, SourceTree sources, ModuleTree modules)
      throws ArchiveException {
    OperatorTrace root = ProgramWalker.trace(where, sources, modules, modules.root());
    InlinedModules inlined = new InlinedModules(where, sources, modules, root.steps());
    for (ModuleNode module : new LinkedHashSet<>(modules.byPath().values())) {
      if (module != modules.root()) {
        inlined.find(module);
      }
    }
    inlined.findOthers();
    return new Found(inlined.found, inlined.unclear);
  }

  private void find(ModuleNode module) {
    OperatorTrace trace = trace(module);
    if (trace == null || trace.size() == 0) {
      return;
    }
    if (trace.hasParameters()) {
      places(trace, false).forEach(at -> place(trace, at));
    } else {
      others.add(trace);
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
    List<OperatorTrace> outside = others.stream().filter(this::isCalledOutside).toList();
    for (OperatorTrace trace : outside) {
      String path = trace.module().path();
      List<Integer> places = places(trace, true);
      boolean alone = outside.stream().filter(other -> isSame(other, trace)).count() == 1;
      if (alone && places.size() == 1 && !found.containsKey(path)) {
        place(trace, places.get(0));
      } else if (!places.isEmpty()) {
        Set<Expr.Call> inside = found.remove(path);
        if (inside != null) {
          unclear.put(path, inside);
        }
        places.forEach(at -> returned(trace, trace.whole(), at, unclear));
      }
    }
  }

  /** Whether code that no place accounts for may call it, the root's above all. */
  private boolean isCalledOutside(OperatorTrace trace) {
    List<String> paths = new ArrayList<>(trace.module().aliases());
    paths.add(trace.module().path());
    return paths.stream()
        .map(path -> modules.byPath().get(path.substring(0, Math.max(0, path.lastIndexOf('.')))))
        .anyMatch(parent -> !placed.contains(parent));
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
      placed.add(span.module());
      returned(trace, span, at, found);
    }
  }

  private void returned(
      OperatorTrace trace, OperatorTrace.Span span, int at, Map<String, Set<Expr.Call>> calls) {
    for (int step : trace.returned(span)) {
      CallSite site = steps.get(at + step).site();
      if (site != null) {
        calls.computeIfAbsent(span.module().path(), p -> new LinkedHashSet<>()).add(site.call());
      }
    }
  }
}
