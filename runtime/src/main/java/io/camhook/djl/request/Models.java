package io.camhook.djl.request;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.capture.ClassNames;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.archive.ScriptLoads;
import io.camhook.djl.hooks.ConfiguredHooks;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.model.InnerArchive;
import io.camhook.djl.model.ModelParameters;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptModules;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.naming.Glob;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Matches the application's models with the configuration. A model is matched once, when its first
 * predictor or trainer is created. Thread-safe.
 */
public final class Models {
  private static final String ROOT = ".";
  private static final String PYTORCH = "PyTorch";
  private static final String ONNX_RUNTIME = "OnnxRuntime";

  private final List<CamhookConfig.Model> entries;
  private final Recorder recorder;
  private final ConfiguredHooks hooks;
  private final ScriptLoads scripts;
  private final EventLog log;
  private final WeakIdentityMap<Block, Optional<ModelPlan>> plans = new WeakIdentityMap<>();

  /** {@code recorder} takes the module tree of each model that matches, and its file. */
  public Models(
      CamhookConfig config,
      Recorder recorder,
      ConfiguredHooks hooks,
      Failures failures,
      EventLog log) {
    this.hooks = hooks;
    this.recorder = recorder;
    this.entries = config.models().stream().filter(entry -> entry.plain() == null).toList();
    this.scripts = new ScriptLoads(this::entry, entries, config.dryRun(), failures, log);
    this.log = log;
  }

  /** The TorchScript archives that are loaded for these models. */
  public ScriptLoads scripts() {
    return scripts;
  }

  /** Notes something about a model in the manifest. */
  void note(ModelPlan plan, String note) {
    recorder.model(plan.noted(note));
  }

  /**
   * A request of a model is captured. Of a network of Java blocks, whose file is not known, the
   * first one has the parameters hashed.
   */
  public void captured(ModelPlan plan, Block root) {
    if (plan.script() != null || !plan.isFirstCapture()) {
      return;
    }
    if (plan.hasArchives()) {
      note(plan, "no hash: blocks of it are TorchScript archives, whose content is not read");
      return;
    }
    try {
      recorder.captured(plan.info(), () -> new ModelParameters(root));
    } catch (RuntimeException e) {
      note(plan, "no hash: its parameters could not be read: " + e);
    }
  }

  /** The plan for a model; null if no entry of the configuration matches it. */
  @Nullable
  public ModelPlan planOf(Model model) {
    Block root = model.getBlock();
    if (root == null) {
      return null;
    }
    return plans.computeIfAbsent(root, () -> Optional.ofNullable(match(model, root))).orElse(null);
  }

  private @Nullable ModelPlan match(Model model, Block root) {
    List<String> names = names(model, root);
    if (!model.getNDManager().getEngine().getEngineName().equals(PYTORCH)) {
      return outside(model, root, names);
    }
    ScriptPlan script = scripts.planOf(root);
    CamhookConfig.Model named = script == null ? null : script.entry();
    CamhookConfig.Model entry = named == null ? entry(names) : named;
    if (entry == null) {
      if (!entries.isEmpty()) {
        log.info(
            "model %s is not hooked: no entry of 'models' matches any of its names %s"
                .formatted(names.get(0), names));
      }
      return null;
    }
    String label = new Glob(entry.name()).isLiteral() ? entry.name() : names.get(0);
    List<BlockTree.Module> modules = BlockTree.of(root);
    if (script == null && root instanceof PtSymbolBlock) {
      script = unseen(entry, label);
    }
    List<InnerArchive> archives = inner(modules);
    if (script == null) {
      hooks.attach(
          entry,
          label,
          root,
          layer -> InnerArchive.withInner(modules, archives, layer),
          layer -> InnerArchive.refusal(layer, archives));
    } else {
      ScriptModules inside = script.inside();
      hooks.attach(entry, label, root, layer -> inside.tree(root, layer), inside::refusal);
    }
    List<ModuleInfo> described = modules.stream().map(Models::info).toList();
    if (script != null && !script.modules().isEmpty()) {
      described = script.modules();
    }
    ModelInfo info = new ModelInfo(label, described).on(engine(model));
    recorder.model(info, scripts.fileOf(root));
    return new ModelPlan(entry, info, classNames(entry, model), modules, script, archives, log);
  }

  /** The archives that are blocks of a network with these modules. */
  public List<InnerArchive> inner(List<BlockTree.Module> modules) {
    return InnerArchive.of(modules, scripts::planOf);
  }

  /** A model of an engine without hooks inside. */
  private @Nullable ModelPlan outside(Model model, Block root, List<String> names) {
    CamhookConfig.Model entry = entry(names);
    if (entry == null) {
      return null;
    }
    String engine = model.getNDManager().getEngine().getEngineName();
    if (engine.equals(ONNX_RUNTIME)) {
      log.info(
          "model %s runs on DJL's engine OnnxRuntime: its layers are recorded where onnxruntime runs it"
              .formatted(names.get(0)));
      return null;
    }
    String label = new Glob(entry.name()).isLiteral() ? entry.name() : names.get(0);
    log.warn(
        "model %s runs on DJL's engine %s, which has no hooks inside: of its layers only '.', its inputs and outputs, is recorded"
            .formatted(label, engine));
    List<BlockTree.Module> whole = BlockTree.of(root).subList(0, 1);
    ModelInfo info =
        new ModelInfo(label, whole.stream().map(Models::info).toList()).on(engine(model));
    recorder.model(info, null);
    CamhookConfig.Model onlyRoot =
        new CamhookConfig.Model(
            entry.name(),
            List.of(ROOT),
            entry.capture(),
            CamhookConfig.Target.NONE,
            entry.labels(),
            List.of(),
            null,
            entry.scored());
    return new ModelPlan(onlyRoot, info, classNames(entry, model), whole, null, List.of(), log);
  }

  /** The entry of the configuration for a model with one of these names; the first that matches. */
  CamhookConfig.@Nullable Model entry(List<String> names) {
    for (CamhookConfig.Model entry : entries) {
      Glob glob = new Glob(entry.name());
      if (names.stream().anyMatch(glob::matches)) {
        return entry;
      }
    }
    return null;
  }

  private static String engine(Model model) {
    Engine engine = model.getNDManager().getEngine();
    return engine.getEngineName() + " " + engine.getVersion();
  }

  private ScriptPlan unseen(CamhookConfig.Model entry, String label) {
    if (entry.layers().stream().anyMatch(layer -> !layer.equals(ROOT))
        || entry.hooks().stream()
            .flatMap(hook -> hook.layers().stream())
            .anyMatch(layer -> !layer.equals(ROOT))) {
      log.warn(
          "model %s was loaded before camhook could tap its layers, so only '.', its input and output, is hooked; start the JVM with -javaagent, and name the model or its file in 'models'"
              .formatted(label));
    }
    return ScriptPlan.untapped(entry, "it was loaded before camhook could look inside");
  }

  private static ModuleInfo info(BlockTree.Module module) {
    long parameters =
        module.block().getParameters().values().stream()
            .filter(Parameter::isInitialized)
            .mapToLong(parameter -> parameter.getArray().size())
            .sum();
    return new ModuleInfo(
        module.path().toString(), module.block().getClass().getSimpleName(), parameters, null);
  }

  /** Name, file and root class, as far as they are known; never empty. */
  private static List<String> names(Model model, Block root) {
    Path path = model.getModelPath();
    String file = path == null || path.getFileName() == null ? "" : path.getFileName().toString();
    return Stream.of(
            model.getName(), file, root.getClass().getName(), root.getClass().getSimpleName())
        .filter(Objects::nonNull)
        .filter(name -> !name.isEmpty())
        .distinct()
        .toList();
  }

  private List<String> classNames(CamhookConfig.Model entry, Model model) {
    return entry.labels() == null
        ? ClassNames.of(Map.of(), model.getModelPath())
        : ClassNames.read(entry.labels(), entry.name(), log);
  }
}
