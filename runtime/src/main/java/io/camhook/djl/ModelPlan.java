package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import io.camhook.capture.ClosestPaths;
import io.camhook.capture.LayerPattern;
import io.camhook.capture.ModulePath;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.recording.Target;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is captured of one model: its entry in the configuration and the blocks that its {@code
 * layers} mean. Keeps no block alive. Thread-safe.
 */
final class ModelPlan {
  private static final int CLOSEST = 3;

  private final CamhookConfig.Model entry;
  private final String label;
  private final List<String> classNames;
  private final WeakIdentityMap<Block, String> layers = new WeakIdentityMap<>();
  private final Set<String> paths = new LinkedHashSet<>();
  private final @Nullable Classifier classifier;
  private volatile boolean lookingForSpatial;

  /**
   * @param label the model's name in recordings
   * @param classNames names of the classes it predicts, empty if unknown
   */
  ModelPlan(
      CamhookConfig.Model entry,
      String label,
      List<String> classNames,
      List<BlockTree.Module> modules,
      EventLog log) {
    this.entry = entry;
    this.label = label;
    this.classNames = List.copyOf(classNames);
    this.classifier = Classifier.of(modules);
    for (String layer : entry.layers()) {
      if (layer.equals(LayerPattern.AUTO)) {
        lookingForSpatial = true;
      } else {
        select(layer, modules, log);
      }
    }
  }

  private void select(String layer, List<BlockTree.Module> modules, EventLog log) {
    List<ModulePath> known = modules.stream().map(BlockTree.Module::path).toList();
    List<ModulePath> selected = LayerPattern.of(layer).select(known);
    if (selected.isEmpty()) {
      log.warn(
          "model %s: layer '%s' matches none of its %d modules; closest: %s"
              .formatted(
                  label,
                  layer,
                  known.size(),
                  ClosestPaths.to(
                      layer, known.stream().map(ModulePath::toString).toList(), CLOSEST)));
    }
    for (BlockTree.Module module : modules) {
      if (selected.contains(module.path())) {
        add(module.block(), module.path().toString());
      }
    }
  }

  private void add(Block block, String path) {
    synchronized (paths) {
      if (layers.get(block) == null) {
        layers.put(block, path);
        paths.add(path);
      }
    }
  }

  /** Whether {@code auto} still waits for the layer that a pass will show. */
  boolean lookingForSpatial() {
    return lookingForSpatial;
  }

  /** Ends the search for {@code auto}; null when no layer has a spatial output. */
  void foundSpatial(BlockTree.@Nullable Module module, EventLog log) {
    synchronized (paths) {
      if (!lookingForSpatial) {
        return;
      }
      lookingForSpatial = false;
      if (module == null) {
        log.warn(
            "model %s: 'auto' finds no layer with an output of [N,C,H,W], H·W > 1; name a layer"
                .formatted(label));
      } else {
        log.info("model %s: 'auto' is layer '%s'".formatted(label, module.path()));
        add(module.block(), module.path().toString());
      }
    }
  }

  /** The path under which the output of {@code block} is recorded; null if it is not. */
  @Nullable String layer(Block block) {
    return layers.get(block);
  }

  /** Paths of the layers in effect. */
  List<String> layers() {
    synchronized (paths) {
      return new ArrayList<>(paths);
    }
  }

  boolean captures(CamhookConfig.CaptureKind kind) {
    return entry.capture().contains(kind);
  }

  boolean capturesAnything() {
    return !entry.capture().isEmpty();
  }

  boolean wantsGradient() {
    return entry.target().kind() != CamhookConfig.Target.Kind.NONE
        && captures(CamhookConfig.CaptureKind.GRADIENT);
  }

  CamhookConfig.Target target() {
    return entry.target();
  }

  /** What {@link Classifier#rows} says, if the model has a linear layer. */
  @Nullable NDArray classifierRows(NDArray activation, List<Target> targets, NDManager owner) {
    return classifier == null ? null : classifier.rows(activation, targets, owner);
  }

  String label() {
    return label;
  }

  List<String> classNames() {
    return classNames;
  }
}
