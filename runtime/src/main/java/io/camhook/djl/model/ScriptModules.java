package io.camhook.djl.model;

import ai.djl.nn.Block;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookMoment;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.ModuleHooks;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.HookPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The modules inside one TorchScript model and the operators in their code, and the hooks on them.
 * Thread-safe.
 */
public final class ScriptModules {
  private final String model;
  private final @Nullable HookPlan plan;
  private final List<InnerModule> bySite;
  private final List<BlockTree.Module> modules;
  private final List<BlockTree.Module> operators;
  private final Map<String, String> unhookable;
  private final @Nullable String operatorsOnly;
  private volatile @Nullable String opacity;
  private volatile boolean live = true;

  private ScriptModules(
      String model,
      @Nullable HookPlan plan,
      List<InnerModule> bySite,
      List<BlockTree.Module> modules,
      List<BlockTree.Module> operators,
      Map<String, String> unhookable,
      @Nullable String operatorsOnly,
      @Nullable String opacity) {
    this.model = model;
    this.plan = plan;
    this.bySite = bySite;
    this.modules = modules;
    this.operators = operators;
    this.unhookable = unhookable;
    this.operatorsOnly = operatorsOnly;
    this.opacity = opacity;
  }

  /** A model in which hooks can look at nothing, and why. */
  public static ScriptModules none(String opacity) {
    return new ScriptModules("", null, List.of(), List.of(), List.of(), Map.of(), null, opacity);
  }

  /**
   * For a model whose archive was loaded with the methods of {@code plan}.
   *
   * @param model its name
   */
  public static ScriptModules of(String model, TorchScriptArchive archive, HookPlan plan) {
    Map<String, InnerModule> byPath = new HashMap<>();
    List<BlockTree.Module> modules = seen(archive.modules(), plan, byPath);
    boolean flat = archive.operatorsOnly().isPresent();
    List<BlockTree.Module> operators = flat ? modules : seen(archive.operators(), plan, byPath);
    List<InnerModule> bySite =
        plan.sites().stream().map(s -> Objects.requireNonNull(byPath.get(s.path()))).toList();
    return new ScriptModules(
        model,
        plan,
        bySite,
        modules,
        operators,
        archive.unhookable(plan),
        archive.operatorsOnly().orElse(null),
        archive.rootOnly().orElse(null));
  }

  /** The modules that hooks can look at, by all their paths. */
  private static List<BlockTree.Module> seen(
      List<ModuleDescription> all, HookPlan plan, Map<String, InnerModule> byPath) {
    Set<String> seen = new HashSet<>();
    plan.sites().forEach(site -> seen.add(site.path()));
    List<BlockTree.Module> modules = new ArrayList<>();
    for (ModuleDescription info : all) {
      if (seen.contains(info.path())) {
        InnerModule module =
            new InnerModule(info.path(), info.type(), plan.stoppingMethod() != null);
        byPath.put(info.path(), module);
        modules.add(new BlockTree.Module(ModulePath.parse(info.path()), module));
        for (String alias : info.aliases()) {
          modules.add(new BlockTree.Module(ModulePath.parse(alias), module));
        }
      }
    }
    return modules;
  }

  /**
   * What {@code layers} can mean: the model itself and every module in it that hooks can look at,
   * or the operators in the code of modules; by all their paths.
   */
  public List<BlockTree.Module> tree(Block root, String layers) {
    List<BlockTree.Module> all = new ArrayList<>();
    if (!LayerPattern.of(layers).isInside()) {
      all.add(new BlockTree.Module(ModulePath.ROOT, root));
    }
    all.addAll(below(layers));
    return all;
  }

  /** As {@link #tree}, without the model itself. */
  List<BlockTree.Module> below(String layers) {
    if (opacity != null) {
      return List.of();
    }
    return LayerPattern.of(layers).isInside() ? operators : modules;
  }

  /** Why hooks cannot be registered at {@code layers}; null if no reason is known. */
  @Nullable
  public String refusal(String layers) {
    String whole = opacity;
    if (whole != null) {
      return "'%s' is inside a TorchScript model: %s".formatted(layers, whole);
    }
    LayerPattern pattern = LayerPattern.of(layers);
    Map<String, String> meant = new LinkedHashMap<>();
    unhookable.forEach(
        (path, reason) -> {
          if (pattern.matches(ModulePath.parse(path))) {
            meant.put(path, reason);
          }
        });
    String reason = meant.isEmpty() ? operatorsOnly : meant.values().iterator().next();
    return reason == null
        ? null
        : "'%s' is inside a TorchScript model, where hooks cannot look at it: %s"
            .formatted(layers, reason);
  }

  /**
   * Called when the archive was loaded unchanged (dry run): its modules are known, and no hook
   * runs.
   */
  public void loadedPlain() {
    live = false;
  }

  /** From now on hooks see nothing. */
  public void close(String reason) {
    opacity = reason;
  }

  /** Whether a module has hooks. */
  public boolean isHooked() {
    if (live && opacity == null) {
      for (InnerModule module : bySite) {
        if (HookTable.of(module) != null) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether a hook in the forward pass replaces what it sees. */
  public boolean isReplacing() {
    for (InnerModule module : bySite) {
      ModuleHooks hooks = HookTable.of(module);
      if (hooks != null
          && (replaces(hooks, HookMoment.AFTER_FORWARD)
              || replaces(hooks, HookMoment.BEFORE_FORWARD))) {
        return true;
      }
    }
    return false;
  }

  private static boolean replaces(ModuleHooks hooks, HookMoment moment) {
    return Stream.of(hooks.of(moment)).anyMatch(HookEntry::replaces);
  }

  /** The model by name, and the paths of the modules that have hooks. */
  public String hooked() {
    List<String> paths =
        bySite.stream()
            .filter(module -> HookTable.of(module) != null)
            .map(InnerModule::path)
            .distinct()
            .toList();
    return "model %s with hooks at %s".formatted(model, paths);
  }

  public HookPlan plan() {
    return Objects.requireNonNull(plan, "asked for the plan of a model that has none");
  }

  /** The module that is called at a site. */
  public InnerModule at(int site) {
    return bySite.get(site);
  }

  /**
   * The values that the current hooks want recorded.
   *
   * @param graph whether the pass makes a graph
   */
  public long[] wanted(boolean graph) {
    long[] wanted = plan().wanted();
    for (int site = 0; site < bySite.size(); site++) {
      ModuleHooks hooks = HookTable.of(bySite.get(site));
      if (hooks != null) {
        boolean backward = graph && has(hooks, HookMoment.AFTER_BACKWARD);
        boolean backwardPre = graph && has(hooks, HookMoment.BEFORE_BACKWARD);
        boolean forward = has(hooks, HookMoment.AFTER_FORWARD);
        boolean forwardPre = has(hooks, HookMoment.BEFORE_FORWARD);
        wanted[2 * site] = wanted(forward || forwardPre, backward || backwardPre);
        wanted[2 * site + 1] = wanted(forward || forwardPre || backwardPre, backward);
      }
    }
    return wanted;
  }

  private static long wanted(boolean value, boolean gradient) {
    return gradient ? HookPlan.GRADIENT : value ? HookPlan.VALUE : 0;
  }

  private static boolean has(ModuleHooks hooks, HookMoment moment) {
    return hooks.of(moment).length > 0;
  }
}
