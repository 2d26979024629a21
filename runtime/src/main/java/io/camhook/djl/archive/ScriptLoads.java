package io.camhook.djl.archive;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.Request;
import io.camhook.dispatch.UserFailure;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.model.ScriptModules;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.naming.LayerPattern;
import io.camhook.recording.ModelFile;
import io.camhook.recording.ModuleInfo;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.flow.AutoLayer;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Replaces the TorchScript archives that the configuration matches by instrumented copies while the
 * engine loads them. An archive that cannot be instrumented is loaded unchanged. Thread-safe.
 */
public final class ScriptLoads {
  private static final List<String> ROOT_CLASSES =
      List.of("ai.djl.pytorch.engine.PtSymbolBlock", "PtSymbolBlock");

  private final Function<List<String>, CamhookConfig.@Nullable Model> entries;
  private final InnerLayers innerLayers;
  private final boolean dryRun;
  private final Failures failures;
  private final EventLog log;
  private final ThreadLocal<Model> loading = new ThreadLocal<>();
  private final ThreadLocal<Boolean> own = new ThreadLocal<>();
  private final ThreadLocal<CopyLoad> session = new ThreadLocal<>();
  private final WeakIdentityMap<Block, ScriptPlan> plans = new WeakIdentityMap<>();
  private final WeakIdentityMap<Block, ModelFile> files = new WeakIdentityMap<>();

  /**
   * {@code entries} finds the entry of the configuration for the names of a model.
   *
   * @param all the entries of models that DJL runs
   */
  public ScriptLoads(
      Function<List<String>, CamhookConfig.@Nullable Model> entries,
      Collection<CamhookConfig.Model> all,
      boolean dryRun,
      Failures failures,
      EventLog log) {
    this.entries = entries;
    this.innerLayers = new InnerLayers(all);
    this.dryRun = dryRun;
    this.failures = failures;
    this.log = log;
  }

  /** How the archive of {@code block} was instrumented; null if it was not examined. */
  @Nullable
  public ScriptPlan planOf(Block block) {
    return plans.get(block);
  }

  /**
   * The file that {@code block} was loaded from; null if it was a stream, or loading was not
   * observed.
   */
  @Nullable
  public ModelFile fileOf(Block block) {
    return files.get(block);
  }

  /** This thread loads the files of {@code model}, until the result is closed. */
  public Request loading(Model model) {
    Model outer = loading.get();
    loading.set(model);
    return () -> {
      if (outer == null) {
        loading.remove();
      } else {
        loading.set(outer);
      }
    };
  }

  /**
   * Loads an archive for a session, in the same way as one of the application's.
   *
   * @param copy the instrumented copy that is loaded in place of {@code file}
   * @param woven whether the engine's own call comes back to {@link #archive}
   */
  PtSymbolBlock load(PtNDManager manager, Path file, Path copy, boolean woven) {
    CopyLoad load = new CopyLoad(manager, file, copy);
    session.set(load);
    try {
      return woven ? load.run() : load.runUnwoven();
    } finally {
      session.remove();
    }
  }

  /** An archive is about to be loaded on this thread. */
  @Nullable
  public BlockCall archive(Object subject, Object[] arguments) {
    if (own.get() != null) {
      return null;
    }
    CopyLoad copy = session.get();
    if (copy != null) {
      return copy.begin(arguments);
    }
    Model model = loading.get();
    List<String> names = names(model, arguments[1]);
    CamhookConfig.Model entry = names.isEmpty() ? null : entries.apply(names);
    boolean part = entry == null || isPart(subject, model);
    boolean whole = entry == null ? isTrainable(arguments) : part || entry.capture().isEmpty();
    if (names.isEmpty() || (entry == null && !innerLayers.isPossible(whole))) {
      return null;
    }
    try {
      ScriptSource source =
          arguments[1] instanceof Path file
              ? ScriptSource.file(file, arguments)
              : ScriptSource.stream(subject, arguments, names.get(0) + ".pt");
      return source == null
          ? null
          : begin(source, entry, new Place(part, whole), names.get(0), arguments);
    } catch (IOException e) {
      failures.add("model %s could not be read".formatted(names.get(0)), e);
      return null;
    }
  }

  /**
   * The role of an archive in the configuration.
   *
   * @param part whether it is known to be only a part of a model, or no entry names it
   * @param whole whether {@code auto} and {@code *} of networks of blocks also apply to it
   */
  private record Place(boolean part, boolean whole) {}

  /** The parameters of a network are loaded, in which the archive is a block. */
  private static boolean isPart(Object subject, @Nullable Model model) {
    Block root = model == null ? null : model.getBlock();
    return subject instanceof PtSymbolBlock && root != null && root != subject;
  }

  /** People put a network around an archive in order to train it further. */
  private static boolean isTrainable(Object[] arguments) {
    return arguments[arguments.length - 1] instanceof Boolean trainable
        && arguments[1] instanceof Path
        && trainable;
  }

  private BlockCall begin(
      ScriptSource source,
      CamhookConfig.@Nullable Model entry,
      Place place,
      String name,
      Object[] arguments)
      throws IOException {
    ScriptModel model = null;
    try {
      String unfit = source.unfit();
      if (unfit == null) {
        EventLog said = entry == null ? EventLog.SILENT : log;
        model = ScriptModel.of(source.file(), archive -> wanted(archive, entry, place), said);
      } else if (entry != null) {
        log.warn("model is loaded without hooks: " + unfit);
      }
      Path copy = model == null ? null : model.file();
      if (copy != null && !dryRun) {
        source.replace(arguments, copy);
      } else {
        source.again(arguments);
      }
    } catch (Throwable e) {
      failures.add("model %s could not be instrumented".formatted(name), e);
      source.again(arguments);
    }
    return new Load(source, model, entry, name);
  }

  private ScriptModel.Wanted wanted(
      TorchScriptArchive archive, CamhookConfig.@Nullable Model entry, Place place) {
    Set<String> inner =
        ScriptModel.select(
            archive, List.copyOf(innerLayers.captured(archive, place.whole())), null, log);
    if (entry == null || place.part()) {
      boolean hooks = innerLayers.hooks(archive, place.whole());
      return new ScriptModel.Wanted(
          Set.of(), inner, Set.of(), entry != null || hooks || !inner.isEmpty());
    }
    List<String> own =
        entry.capture().isEmpty()
            ? List.of()
            : entry.layers().stream()
                .filter(layer -> InnerLayers.in(archive, LayerPattern.of(layer)).isEmpty())
                .toList();
    List<String> looked = new ArrayList<>(entry.layers());
    entry.hooks().forEach(hook -> looked.addAll(hook.layers()));
    return new ScriptModel.Wanted(
        ScriptModel.select(archive, own, entry.scored().output(), log),
        inner,
        ScriptModel.inside(archive, looked),
        true);
  }

  /** Names of the model and of the file; empty for a stream that no model loads. */
  private static List<String> names(@Nullable Model model, Object source) {
    List<String> names = new ArrayList<>();
    if (model != null) {
      add(model.getName(), names);
      add(fileName(model.getModelPath()), names);
    }
    if (source instanceof Path path) {
      String file = fileName(path);
      add(file, names);
      add(
          file == null || !file.endsWith(".pt") ? null : file.substring(0, file.length() - 3),
          names);
    }
    if (!names.isEmpty()) {
      names.addAll(ROOT_CLASSES);
    }
    return names;
  }

  private static @Nullable String fileName(@Nullable Path path) {
    Path name = path == null ? null : path.getFileName();
    return name == null ? null : name.toString();
  }

  private static void add(@Nullable String name, List<String> names) {
    if (name != null && !name.isEmpty() && !names.contains(name)) {
      names.add(name);
    }
  }

  /** An archive being loaded. */
  private final class Load implements BlockCall {
    private final ScriptSource source;
    private @Nullable ScriptModel model;
    private final CamhookConfig.@Nullable Model entry;
    private final String name;
    private boolean withHooks = true;
    private boolean recovered;

    Load(
        ScriptSource source,
        @Nullable ScriptModel model,
        CamhookConfig.@Nullable Model entry,
        String name) {
      this.source = source;
      this.model = model;
      this.entry = entry;
      this.name = name;
    }

    @Override
    public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
      try {
        if (thrown != null) {
          return isAsItCame() ? result : loadLess(thrown);
        }
        Block block = (Block) result;
        if (block != null) {
          note(block);
        }
        return result;
      } finally {
        cleanUp();
      }
    }

    private boolean isAsItCame() {
      return model == null || model.file() == null || dryRun;
    }

    /** If this fails, the application has a model without captures of its layers. */
    private void note(Block block) {
      try {
        noteFile(block);
        loaded(block);
      } catch (Throwable e) {
        failures.add("model %s is loaded, but not instrumented".formatted(name), e);
        plans.put(block, ScriptPlan.untapped(entry, "it could not be instrumented"));
      }
    }

    private void noteFile(Block block) {
      ModelFile file = source.origin();
      if (file != null) {
        files.put(block, file);
      }
    }

    private void loaded(Block block) {
      if (model == null && entry == null) {
        return; // no entry of the configuration names it
      }
      if (model == null) {
        plans.put(
            block,
            ScriptPlan.untapped(
                entry, "its archive could not be instrumented; a message said why at loading"));
        return;
      }
      if (!isAsItCame()) {
        source.freeze(block);
      }
      TorchScriptArchive archive = model.archive();
      ScriptModules inside =
          withHooks
              ? ScriptModules.of(name, archive, model.hooks())
              : ScriptModules.none("the engine does not take the methods for hooks");
      if (dryRun) {
        inside.loadedPlain();
      }
      plans.put(
          block,
          new ScriptPlan(
              entry,
              model.plan(),
              modules(archive),
              archive.classifierWeight().orElse(null),
              auto(archive, model.plan()),
              inside,
              archive.state().orElse(null)));
    }

    /** The layer that {@code auto} means, if it is recorded. */
    private static @Nullable String auto(TorchScriptArchive archive, @Nullable TapPlan plan) {
      return plan == null
          ? null
          : archive
              .auto(null)
              .map(AutoLayer::path)
              .filter(path -> plan.taps().stream().anyMatch(tap -> tap.path().equals(path)))
              .orElse(null);
    }

    /** Leaves out what the engine refuses: the methods for hooks, those that record, or both. */
    private Object loadLess(Throwable thrown) {
      own.set(Boolean.TRUE);
      try {
        Block block = loadInstrumented(thrown);
        return block == null ? loadPlain(thrown) : block;
      } catch (IOException | MalformedModelException e) {
        throw UserFailure.of(Load.<RuntimeException>unchanged(e));
      } catch (RuntimeException | Error e) { // the unchanged model cannot be loaded
        UserFailure.mark(e);
        throw e;
      } finally {
        own.remove();
      }
    }

    /** Null if neither can be made and loaded. */
    private @Nullable Block loadInstrumented(Throwable thrown) {
      ScriptModel whole = Objects.requireNonNull(model);
      try {
        Block block = load(whole.withoutHooks());
        if (block != null) {
          withHooks = false;
          return recovered(block, "without hooks inside", "for hooks", thrown);
        }
        block = load(whole.withoutTaps());
        return block == null
            ? null
            : recovered(block, "without captures of its layers", "that record", thrown);
      } catch (Throwable e) {
        failures.add("model %s could not be instrumented".formatted(name), e);
        return null;
      }
    }

    /** Null if the engine refuses it, too. */
    private @Nullable Block load(@Nullable ScriptModel less) throws IOException {
      if (less == null) {
        return null;
      }
      deleteCopy();
      model = less;
      try {
        return source.load(Objects.requireNonNull(less.file()));
      } catch (EngineException | MalformedModelException e) {
        return null;
      }
    }

    private Block recovered(Block block, String without, String methods, Throwable thrown) {
      recovered = true;
      log.warn(
          "model %s is loaded %s: the engine does not take the methods %s: %s"
              .formatted(name, without, methods, thrown.getMessage()));
      note(block);
      return block;
    }

    private Block loadPlain(Throwable thrown) throws IOException, MalformedModelException {
      Block block = source.loadPlain();
      noteFile(block);
      recovered = true;
      log.warn(
          "model %s is loaded without hooks: the engine does not take the instrumented archive: %s"
              .formatted(name, thrown.getMessage()));
      plans.put(
          block, ScriptPlan.untapped(entry, "the engine does not take the instrumented archive"));
      return block;
    }

    /** The application gets what its own load throws. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E unchanged(Exception e) throws E {
      throw (E) e;
    }

    private void cleanUp() {
      try (source) {
        deleteCopy();
      } catch (Throwable e) {
        failures.add("a temporary file of model %s could not be deleted".formatted(name), e);
      }
    }

    private void deleteCopy() throws IOException {
      Path copy = model == null ? null : model.file();
      if (copy != null) {
        Files.deleteIfExists(copy);
      }
    }

    @Override
    public boolean recovered() {
      return recovered;
    }
  }

  private static List<ModuleInfo> modules(TorchScriptArchive archive) {
    return archive.modules().stream()
        .map(module -> new ModuleInfo(module.path(), module.type(), module.parameterCount(), null))
        .toList();
  }
}
