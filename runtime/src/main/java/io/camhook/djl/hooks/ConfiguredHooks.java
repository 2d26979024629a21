package io.camhook.djl.hooks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.Steps;
import io.camhook.builtin.UserHook;
import io.camhook.builtin.Watches;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.model.InnerModule;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Attaches a configuration's hooks to the blocks of the models that it matches. */
public final class ConfiguredHooks {
  private static final int CLOSEST = 3;

  private final Watches watches;
  private final boolean dryRun;
  private final Failures failures;
  private final EventLog log;
  private final WeakIdentityMap<Block, List<Runnable>> attached = new WeakIdentityMap<>();

  public ConfiguredHooks(Watches watches, boolean dryRun, Failures failures, EventLog log) {
    this.watches = watches;
    this.dryRun = dryRun;
    this.failures = failures;
    this.log = log;
  }

  /**
   * Attaches the hooks of one entry to a model, and reports those that are not available.
   *
   * @param root the model's block
   * @param modules what a layer can mean
   * @param reasons why a layer that matches no module accepts no hooks; null if unknown
   */
  public void attach(
      CamhookConfig.Model entry,
      String label,
      Block root,
      Function<String, List<BlockTree.Module>> modules,
      Function<String, @Nullable String> reasons) {
    if (entry.hooks().isEmpty()) {
      return;
    }
    Steps steps = new Steps(label);
    boolean counted = false;
    for (CamhookConfig.Hook hook : entry.hooks()) {
      Set<Block> blocks = blocks(hook, label, modules, reasons);
      if (dryRun) {
        log.info(
            "dry run: model %s: hook %s would be attached to %d layers"
                .formatted(label, hook.hook(), blocks.size()));
        continue;
      }
      LayerWatch watch = watches.of(hook);
      if (watch == null) {
        attachOwn(hook, label, root, blocks);
        continue;
      }
      if (!counted) {
        add(root, new HookEntry(HookKind.FORWARD_PRE, counter(steps)));
        counted = true;
      }
      for (Block block : blocks) {
        add(block, new HookEntry(HookKind.FORWARD, forward(watch, steps)));
        add(block, new HookEntry(HookKind.BACKWARD, backward(watch, steps)));
      }
    }
  }

  private Set<Block> blocks(
      CamhookConfig.Hook hook,
      String label,
      Function<String, List<BlockTree.Module>> modules,
      Function<String, @Nullable String> reasons) {
    Set<Block> blocks = new LinkedHashSet<>(); // blocks compare by identity
    for (String layer : hook.layers()) {
      List<BlockTree.Module> meant = modules.apply(layer);
      List<ModulePath> paths = meant.stream().map(BlockTree.Module::path).toList();
      List<ModulePath> matching = LayerPattern.of(layer).select(paths);
      if (matching.isEmpty()) {
        String reason = reasons.apply(layer);
        log.warn(
            "model %s: hook %s: %s"
                .formatted(label, hook.hook(), reason == null ? noMatch(layer, paths) : reason));
      }
      meant.stream()
          .filter(module -> matching.contains(module.path()))
          .map(BlockTree.Module::block)
          .forEach(blocks::add);
    }
    return blocks;
  }

  private static String noMatch(String layer, List<ModulePath> paths) {
    return "layer '%s' matches none of its %d modules; closest: %s"
        .formatted(
            layer,
            paths.size(),
            Nearest.to(layer, paths.stream().map(ModulePath::toString).toList(), CLOSEST));
  }

  private void attachOwn(CamhookConfig.Hook entry, String label, Block root, Set<Block> blocks) {
    Object hook;
    try {
      hook = UserHook.load(entry.hook(), entry.options(), loaders(root));
    } catch (UserHook.UnusableException e) {
      log.warn("model %s: %s; the model runs without it".formatted(label, e.getMessage()));
      return;
    }
    List<HookKind> kinds = HookKind.of(hook);
    for (Block block : blocks) {
      for (HookKind kind : kinds) {
        boolean replaces = entry.replaces() && kind.isMeantToReplace(kinds);
        HookEntry registered = new HookEntry(kind, hook, false, replaces, null);
        try {
          Registrations.check(block, registered);
        } catch (IllegalArgumentException e) {
          log.warn(
              "model %s: hook %s: %s; the model runs without it"
                  .formatted(label, entry.hook(), e.getMessage()));
          continue;
        }
        add(block, registered);
      }
    }
  }

  private static List<ClassLoader> loaders(Block root) {
    return Stream.of(
            Thread.currentThread().getContextClassLoader(),
            root.getClass().getClassLoader(),
            ClassLoader.getSystemClassLoader())
        .filter(loader -> loader != null)
        .distinct()
        .toList();
  }

  private void add(Block block, HookEntry entry) {
    Runnable removal = HookTable.add(block, entry, false);
    attached.computeIfAbsent(block, CopyOnWriteArrayList::new).add(removal);
  }

  /** Removes every attached hook. */
  public void remove() {
    attached.values().forEach(removals -> removals.forEach(Runnable::run));
  }

  private static ForwardPreHook<Block, NDList> counter(Steps steps) {
    return (block, path, inputs) -> {
      steps.begin();
      return null;
    };
  }

  private ForwardHook<Block, NDList> forward(LayerWatch watch, Steps steps) {
    return (block, path, inputs, outputs) -> {
      Watches.look(
          failures,
          () ->
              watch.forward(
                  steps.forward(watch, path, type(block)), values(inputs), values(outputs)));
      return null;
    };
  }

  private FullBackwardHook<Block, NDList> backward(LayerWatch watch, Steps steps) {
    return (block, path, gradInputs, gradOutputs) -> {
      Watches.look(
          failures,
          () ->
              watch.backward(
                  steps.backward(watch, path, type(block)),
                  values(gradInputs),
                  values(gradOutputs)));
      return null;
    };
  }

  private static String type(Block block) {
    return block instanceof InnerModule module ? module.type() : block.getClass().getSimpleName();
  }

  private static List<LayerValues> values(@Nullable NDList arrays) {
    List<LayerValues> values = new ArrayList<>();
    if (arrays != null) {
      for (NDArray array : arrays) {
        if (array != null && Tensors.isFloating(array)) {
          values.add(new ArrayValues(array));
        }
      }
    }
    return values;
  }

  private record ArrayValues(NDArray array) implements LayerValues {
    @Override
    public long[] shape() {
      return array.getShape().getShape();
    }

    @Override
    public float[] toFloats() {
      return Tensors.toTensor(array).toFloats();
    }
  }
}
