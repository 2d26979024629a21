package io.camhook.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.camhook.capture.Glob;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which models of the application the configuration means. A model is looked at once, when its
 * first predictor or trainer is made. Thread-safe.
 */
final class Models {
  private final List<CamhookConfig.Model> entries;
  private final Consumer<ModelInfo> describe;
  private final ConfiguredHooks hooks;
  private final EventLog log;
  private final WeakIdentityMap<Block, Optional<ModelPlan>> plans = new WeakIdentityMap<>();

  /** {@code describe} takes the module tree of each model that matches. */
  Models(CamhookConfig config, Consumer<ModelInfo> describe, ConfiguredHooks hooks, EventLog log) {
    this.hooks = hooks;
    this.describe = describe;
    this.entries = config.models().stream().filter(entry -> entry.plain() == null).toList();
    this.log = log;
  }

  /** The plan for a model; null when no entry of the configuration matches it. */
  @Nullable ModelPlan planOf(Model model) {
    Block root = model.getBlock();
    if (root == null) {
      return null;
    }
    return plans.computeIfAbsent(root, () -> Optional.ofNullable(match(model, root))).orElse(null);
  }

  private @Nullable ModelPlan match(Model model, Block root) {
    List<String> names = names(model, root);
    for (CamhookConfig.Model entry : entries) {
      Glob glob = new Glob(entry.name());
      if (names.stream().anyMatch(glob::matches)) {
        String label = glob.isLiteral() ? entry.name() : names.get(0);
        List<BlockTree.Module> modules = BlockTree.of(root);
        describe.accept(new ModelInfo(label, modules.stream().map(Models::info).toList()));
        hooks.attach(entry, label, modules);
        return new ModelPlan(entry, label, classNames(entry, model), modules, log);
      }
    }
    if (!entries.isEmpty()) {
      log.info(
          "model %s is not hooked: no entry of 'models' matches any of its names %s"
              .formatted(names.get(0), names));
    }
    return null;
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
    Path file = entry.labels();
    if (file == null) {
      Path directory = model.getModelPath();
      file = directory == null ? null : directory.resolve("synset.txt");
      if (file == null || !Files.isRegularFile(file)) {
        return List.of();
      }
    }
    try {
      return Files.readAllLines(file).stream().map(String::strip).toList();
    } catch (IOException e) {
      log.warn(
          "model %s: labels file %s cannot be read (%s); classes are numbers"
              .formatted(entry.name(), file, e));
      return List.of();
    }
  }
}
