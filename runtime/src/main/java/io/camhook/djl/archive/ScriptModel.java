package io.camhook.djl.archive;

import io.camhook.dispatch.EventLog;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import io.camhook.torchscript.TemporaryCopies;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.HookPlan;
import io.camhook.torchscript.twin.HookableArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript file with taps at the configured layers and methods for hooks, ready to be loaded
 * in place of the original. Load it with {@code trainParam} true; otherwise its weights cannot be
 * saved for backward.
 *
 * @param file the instrumented copy, a temporary file; delete it after loading; null if there is
 *     nothing to add, so that the original should be loaded
 * @param plan what was added for captures; null if none of the layers exists
 * @param hooks what was added for hooks; without sites if hooks can see nothing inside
 * @param archive the original
 */
public record ScriptModel(
    @Nullable Path file, @Nullable TapPlan plan, HookPlan hooks, TorchScriptArchive archive) {
  private static final int CLOSEST = 3;

  /**
   * Instruments a copy of an archive; the archive itself is not changed.
   *
   * @param layers paths or globs as in {@code layers} of the configuration, also {@code auto}
   * @param output the output that holds the scores; null: the usual one
   * @return null if it cannot be done; one warning has then reported why, and the original should
   *     be loaded as usual
   */
  public static @Nullable ScriptModel of(
      Path original, List<String> layers, @Nullable String output, EventLog log) {
    return of(
        original,
        archive -> new Wanted(select(archive, layers, output, log), Set.of(), Set.of(), true),
        log);
  }

  /**
   * What the configuration wants of an archive.
   *
   * @param layers paths of modules to record
   * @param inner those among them that were configured for the network that contains this archive
   * @param looked operators that hooks look at, at any place
   * @param anything whether to instrument it at all
   */
  record Wanted(Set<String> layers, Set<String> inner, Set<String> looked, boolean anything) {}

  /**
   * Like the other method, with the layers of {@code wanted}.
   *
   * @return also null if nothing is wanted
   */
  static @Nullable ScriptModel of(
      Path original, Function<TorchScriptArchive, Wanted> wanted, EventLog log) {
    try {
      TorchScriptArchive archive = TorchScriptArchive.open(original);
      Wanted what = wanted.apply(archive);
      if (!what.anything()) {
        return null;
      }
      Set<String> paths = new LinkedHashSet<>(what.layers());
      paths.addAll(what.inner());
      HookableArchive hookable = archive.hookable(paths, what.looked());
      TapPlan plan = paths.isEmpty() ? null : hookable.archive().plan();
      if (plan == null && hookable.hooks().sites().isEmpty()) {
        return new ScriptModel(null, null, hookable.hooks(), archive);
      }
      Path copy = write(hookable.archive());
      for (String notice : plan == null ? List.<String>of() : plan.notices()) {
        log.warn(original.getFileName() + ": " + notice);
      }
      return new ScriptModel(copy, plan, hookable.hooks(), archive);
    } catch (IOException | RuntimeException | StackOverflowError e) {
      log.warn("model is loaded without hooks: " + e.getMessage());
      return null;
    }
  }

  /**
   * Instruments a copy of an archive at module paths, for captures only; the archive itself is not
   * changed.
   *
   * @throws IOException if it cannot be done, with the reason
   */
  public static ScriptModel of(TorchScriptArchive archive, Collection<String> paths)
      throws IOException {
    InstrumentedArchive instrumented = archive.instrument(paths);
    return new ScriptModel(write(instrumented), instrumented.plan(), HookPlan.NONE, archive);
  }

  /**
   * The same with fewer methods, for an engine that refuses them: without the methods for hooks.
   *
   * @return null if nothing, or nothing else, was added
   */
  public @Nullable ScriptModel withoutHooks() throws IOException {
    if (plan == null || hooks.sites().isEmpty()) {
      return null;
    }
    Set<String> paths = new LinkedHashSet<>();
    plan.taps().forEach(tap -> paths.add(tap.path()));
    return of(archive, paths);
  }

  /** Like {@link #withoutHooks}, without the methods that record. */
  public @Nullable ScriptModel withoutTaps() throws IOException {
    if (plan == null || hooks.sites().isEmpty()) {
      return null;
    }
    HookableArchive hookable = archive.hookable(Set.of());
    return new ScriptModel(write(hookable.archive()), null, hookable.hooks(), archive);
  }

  private static Path write(InstrumentedArchive instrumented) throws IOException {
    Path copy = TemporaryCopies.file(".pt");
    try {
      instrumented.write(copy);
      return copy;
    } catch (Throwable e) {
      if (!copy.toFile().delete()) {
        copy.toFile().deleteOnExit();
      }
      throw e;
    }
  }

  static Set<String> select(
      TorchScriptArchive archive, List<String> layers, @Nullable String output, EventLog log) {
    Set<String> selected = new LinkedHashSet<>();
    for (String layer : layers) {
      if (layer.equals(LayerPattern.AUTO)) {
        archive.auto(output).ifPresent(auto -> selected.add(auto.path()));
        continue;
      }
      LayerPattern pattern = LayerPattern.of(layer);
      List<ModulePath> known = paths(archive.layers(pattern));
      List<ModulePath> matches = pattern.select(known);
      matches.forEach(match -> selected.add(match.toString()));
      if (matches.isEmpty()) {
        selectAlias(archive, layer, known, selected, log);
      }
    }
    return selected;
  }

  /** The operators in the code of modules that match some of the layers. */
  static Set<String> inside(TorchScriptArchive archive, List<String> layers) {
    List<ModulePath> operators = paths(archive.operators());
    Set<String> inside = new LinkedHashSet<>();
    for (String layer : layers) {
      LayerPattern pattern = LayerPattern.of(layer);
      if (pattern.isInside()) {
        pattern.select(operators).forEach(match -> inside.add(match.toString()));
      }
    }
    return inside;
  }

  private static List<ModulePath> paths(List<ModuleDescription> modules) {
    return modules.stream().map(module -> ModulePath.parse(module.path())).toList();
  }

  /** Resolves an alias of a called module; for any other name the archive reports the problem. */
  private static void selectAlias(
      TorchScriptArchive archive,
      String layer,
      List<ModulePath> layers,
      Set<String> selected,
      EventLog log) {
    try {
      archive.instrument(List.of(layer));
      selected.add(layer);
    } catch (IOException e) {
      List<String> known = layers.stream().map(ModulePath::toString).toList();
      boolean rootOnly = known.equals(List.of(".")); // which the message contains
      String closest = rootOnly ? "" : "; closest: " + Nearest.to(layer, known, CLOSEST);
      log.warn(e.getMessage() + closest);
    }
  }
}
