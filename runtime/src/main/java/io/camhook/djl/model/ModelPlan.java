package io.camhook.djl.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Target;
import io.camhook.recording.TensorName;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What is captured of one model: its entry in the configuration and the blocks, or the taps of a
 * TorchScript archive, that its {@code layers} match. Keeps no block alive. Thread-safe.
 */
public final class ModelPlan {
  private static final int CLOSEST = 3;
  private static final Integer BEST = -1;

  private final CamhookConfig.Model entry;
  private final EventLog log;
  private final String label;
  private final List<String> classNames;
  private final WeakIdentityMap<Block, String> layers = new WeakIdentityMap<>();
  private final Set<String> paths = new LinkedHashSet<>();
  private final @Nullable Classifier classifier;
  private final @Nullable ScriptPlan script;
  private final List<InnerArchive> archives;
  private final AtomicBoolean withoutGradients = new AtomicBoolean();
  private final Set<LayerOutput> blocked = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean withoutGraph = new AtomicBoolean();
  private final AtomicBoolean captured = new AtomicBoolean();
  private final Set<TensorName> unrecordable = ConcurrentHashMap.newKeySet();
  private ModelInfo info;
  private volatile boolean lookingForSpatial;

  /**
   * @param info the model's entry in recordings
   * @param classNames names of the classes it predicts, empty if unknown
   * @param archives those that are blocks of a network of Java blocks
   */
  public ModelPlan(
      CamhookConfig.Model entry,
      ModelInfo info,
      List<String> classNames,
      List<BlockTree.Module> modules,
      @Nullable ScriptPlan script,
      List<InnerArchive> archives,
      EventLog log) {
    this.entry = entry;
    this.archives = List.copyOf(archives);
    this.script = script;
    this.info = info;
    this.log = log;
    this.label = info.name();
    this.classNames = List.copyOf(classNames);
    if (entry.target().kind() == CamhookConfig.Target.Kind.SIMILARITY) {
      log.warn(
          "model %s: target similarity is for models of onnxruntime; it is captured without gradients"
              .formatted(label));
    }
    if (script != null) {
      String weight = script.classifier();
      classifier = weight == null ? null : new Classifier(modules.get(0).block(), weight);
      if (script.taps() == null) {
        selectRoot(modules.get(0));
      }
      if (script.state() != null) {
        keepsState(script.state());
      }
      return;
    }
    classifier = Classifier.of(modules);
    for (String layer : entry.layers()) {
      if (layer.equals(LayerPattern.AUTO)) {
        lookingForSpatial = true;
      } else {
        select(layer, modules, log);
      }
    }
    for (InnerArchive archive : archives) {
      String state = archive.isRecorded() ? archive.script().state() : null;
      if (state != null) {
        keepsState(archive.path() + ", " + state);
      }
    }
  }

  /** Nothing inside can be recorded, only the call as a whole, if {@code layers} match it too. */
  private void selectRoot(BlockTree.Module root) {
    for (String layer : entry.layers()) {
      if (LayerPattern.of(layer).matches(root.path())) {
        add(root.block(), root.path().toString());
      }
    }
  }

  /**
   * No gradients: a graph through its state would grow from request to request, and autograd must
   * not keep tensors made by inference.
   */
  private void keepsState(String how) {
    if (wantsGradient()) {
      withoutGradients.set(true);
      String note =
          "keeps state between requests (%s): captured in one run with the application's, without gradients"
              .formatted(how);
      info = info.with(note);
      log.warn("model %s %s".formatted(label, note));
    }
  }

  /** Why a pass that needs a second run of the model is not captured; null if it may run. */
  public @Nullable String refusesSecondRun() {
    return scripts().stream()
        .map(ScriptPlan::state)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /** The archives that passes look into: the model itself, or blocks of it. */
  public List<ScriptPlan> scripts() {
    return script != null
        ? List.of(script)
        : archives.stream()
            .filter(InnerArchive::isRecorded)
            .map(InnerArchive::script)
            .distinct()
            .toList();
  }

  /** The archive that is this block of the model; null if the block is not an archive. */
  public @Nullable InnerArchive inner(Block block) {
    for (InnerArchive archive : archives) {
      if (archive.block() == block) {
        return archive;
      }
    }
    return null;
  }

  /** Whether its engine offers no hooks inside. */
  public boolean isOutside() {
    String engine = info().engine();
    return engine != null && !engine.startsWith("PyTorch ");
  }

  /** How the archive of a TorchScript model was instrumented; null for a model of Java blocks. */
  @Nullable
  public ScriptPlan script() {
    return script;
  }

  /** Whether nothing inside the model can be tapped: its outputs have no graph. */
  public boolean isOpaque() {
    return script != null && script.taps() == null;
  }

  private void select(String layer, List<BlockTree.Module> modules, EventLog log) {
    List<ModulePath> known = new ArrayList<>();
    modules.forEach(module -> known.add(module.path()));
    archives.forEach(archive -> known.addAll(archive.recordable()));
    List<ModulePath> selected = LayerPattern.of(layer).select(known);
    String refusal = selected.isEmpty() ? InnerArchive.refusal(layer, archives) : null;
    if (refusal != null) {
      log.warn("model %s: layer %s".formatted(label, refusal));
    } else if (selected.isEmpty()) {
      log.warn(
          "model %s: layer '%s' matches none of its %d modules; closest: %s"
              .formatted(
                  label,
                  layer,
                  known.size(),
                  Nearest.to(layer, known.stream().map(ModulePath::toString).toList(), CLOSEST)));
    }
    for (BlockTree.Module module : modules) {
      if (selected.contains(module.path())) {
        add(module.block(), module.path().toString());
      }
    }
    for (InnerArchive archive : archives) {
      archive.recordable().stream()
          .filter(selected::contains)
          .forEach(path -> add(archive, path.toString()));
    }
  }

  private void add(InnerArchive archive, String path) {
    synchronized (paths) {
      archive.record(path);
      paths.add(path);
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

  /** Whether {@code auto} still has to be found by a pass. */
  public boolean lookingForSpatial() {
    return lookingForSpatial;
  }

  /**
   * Ends the search for {@code auto}; null if no layer has a spatial output.
   *
   * @param inside whether it is a layer inside the archive that {@code module} is
   */
  public void foundSpatial(BlockTree.@Nullable Module module, boolean inside, EventLog log) {
    synchronized (paths) {
      if (!lookingForSpatial) {
        return;
      }
      lookingForSpatial = false;
      InnerArchive archive = module == null || !inside ? null : inner(module.block());
      String path = archive == null ? null : archive.auto();
      if (archive != null && path != null) {
        add(archive, path);
      } else if (module == null) {
        log.warn(
            "model %s: 'auto' finds no layer with an output of [N,C,H,W], H·W > 1; %s"
                .formatted(label, nameALayer()));
        return;
      } else {
        path = module.path().toString();
        add(module.block(), path);
      }
      log.info("model %s: 'auto' is layer '%s'".formatted(label, path));
    }
  }

  private String nameALayer() {
    return archives.stream()
        .filter(archive -> archive.auto() == null)
        .findFirst()
        .map(
            archive ->
                "name a layer, or name the archive of %s, by its model or file, in an entry with capture: [], and it is looked into"
                    .formatted(archive.path()))
        .orElse("name a layer");
  }

  /** Whether {@code auto} may be a layer inside the archive that {@code block} is. */
  public boolean hasMapInside(Block block) {
    InnerArchive archive = inner(block);
    return archive != null && archive.auto() != null;
  }

  /** The path under which the output of {@code block} is recorded; null if it is not. */
  @Nullable
  public String layer(Block block) {
    return layers.get(block);
  }

  /** Paths of the layers in effect. */
  public List<String> layers() {
    TapPlan taps = script == null ? null : script.taps();
    if (taps != null) {
      return taps.taps().stream().map(TapPlan.Tap::path).distinct().toList();
    }
    synchronized (paths) {
      return new ArrayList<>(paths);
    }
  }

  public boolean captures(CamhookConfig.CaptureKind kind) {
    return entry.capture().contains(kind);
  }

  public boolean capturesAnything() {
    return !entry.capture().isEmpty();
  }

  public boolean wantsGradient() {
    return entry.target().kind() != CamhookConfig.Target.Kind.NONE
        && captures(CamhookConfig.CaptureKind.GRADIENT)
        && !withoutGradients.get();
  }

  /**
   * The engine has no gradients for this model: no later pass asks for them, because that would
   * cost time for nothing. True the first time.
   */
  public boolean giveUpGradients() {
    boolean first = withoutGradients.compareAndSet(false, true);
    if (first) {
      scripts().forEach(ScriptPlan::compareAgain); // from now on another method of the archive runs
    }
    return first;
  }

  /** The output and axis of the model's scores. */
  public CamhookConfig.Scored scored() {
    return entry.scored();
  }

  public CamhookConfig.Target target() {
    return entry.target();
  }

  /**
   * The class that is explained for all samples, or −1 for the best of each; null if the samples
   * differ, or no class is explained.
   */
  @Nullable
  public Integer onlyClass() {
    CamhookConfig.Target target = entry.target();
    if (!entry.scored().isUsual()) {
      return null; // the method with gradients takes the usual scores
    }
    return switch (target.kind()) {
      case TOP -> target.count() == 1 ? BEST : null;
      case CLASS -> target.classIndex();
      case LABEL -> {
        int index = target.label() == null ? -1 : classNames.indexOf(target.label());
        yield index < 0 ? null : index;
      }
      case SIMILARITY, LOSS, NONE -> null;
    };
  }

  /** The result of {@link Classifier#rows}, if the model has a linear layer. */
  @Nullable
  public NDArray classifierRows(NDArray activation, List<Target> targets, NDManager owner) {
    return classifier == null ? null : classifier.rows(activation, targets, owner);
  }

  /** Whether this is the model's first capture: true once. */
  public boolean isFirstCapture() {
    return !captured.get() && captured.compareAndSet(false, true);
  }

  /** Whether archives are blocks of the network. */
  public boolean hasArchives() {
    return !archives.isEmpty();
  }

  /** The model's entry in recordings. */
  public ModelInfo info() {
    synchronized (paths) {
      return info;
    }
  }

  /** Adds a note to the model's entry in recordings, and returns the entry. */
  public ModelInfo noted(String note) {
    synchronized (paths) {
      info = info.with(note);
      return info;
    }
  }

  /** Logs once that a tensor is missing in every capture. */
  public void unrecordable(TensorName name, RuntimeException why) {
    if (unrecordable.add(name)) {
      log.warn(
          "model %s: '%s' is missing in its captures: %s".formatted(label, name, why.getMessage()));
    }
  }

  /** Logs once for each layer that its value has a layout without gradients. */
  public void blocked(Set<LayerOutput> layers) {
    for (LayerOutput layer : layers) {
      if (blocked.add(layer)) {
        log.warn("model %s: %s".formatted(label, TapPlan.describeBlocked(List.of(layer))));
      }
    }
  }

  /** Logs once that there is no graph to differentiate, and none may be built. */
  public void lacksGraph() {
    if (withoutGraph.compareAndSet(false, true)) {
      log.warn(
          "model %s: passes are captured without gradients where the score does not depend on a recorded value that requires one (frozen parameters, grad mode off, a layer that is not on a path to the score)"
              .formatted(label));
    }
  }

  public String label() {
    return label;
  }

  public List<String> classNames() {
    return classNames;
  }
}
