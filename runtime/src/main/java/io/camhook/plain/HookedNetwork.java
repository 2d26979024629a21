package io.camhook.plain;

import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.Place;
import io.camhook.config.PlainNetwork;
import io.camhook.dispatch.EventLog;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * One plain network of the configuration: where its values are, what is captured, which hooks it
 * has.
 */
final class HookedNetwork {
  /** A hook and its layers. */
  private record Attached(List<LayerPattern> layers, PlainHook hook) {}

  private static final int CLOSEST = 3;

  private final CamhookConfig.Model entry;
  private final PlainNetwork places;
  private final TensorAccess tensors;
  private final TensorAccess rootTensors;
  private final TypePattern moduleTypes;
  private final TypePattern rootTypes;
  private final ModuleNames names = new ModuleNames();
  private final List<LayerPattern> layers;
  private final boolean auto;
  private final List<String> labels;
  private final List<Attached> hooks = new CopyOnWriteArrayList<>();
  private final Map<String, Boolean> captured = new ConcurrentHashMap<>();

  HookedNetwork(CamhookConfig.Model entry, PlainNetwork places, EventLog log) {
    this.entry = entry;
    this.places = places;
    this.tensors = new TensorAccess(places.values());
    this.rootTensors =
        places.values().equals(places.rootValues())
            ? tensors
            : new TensorAccess(places.rootValues());
    this.moduleTypes = new TypePattern(places.module().type());
    this.rootTypes = new TypePattern(rootMethods().type());
    this.auto = entry.layers().contains(LayerPattern.AUTO);
    this.layers =
        entry.layers().stream()
            .filter(layer -> !layer.equals(LayerPattern.AUTO))
            .map(LayerPattern::of)
            .toList();
    this.labels = labels(entry, log);
  }

  private static List<String> labels(CamhookConfig.Model entry, EventLog log) {
    if (entry.labels() == null) {
      return List.of();
    }
    try {
      return Files.readAllLines(entry.labels()).stream().map(String::strip).toList();
    } catch (IOException e) {
      log.warn("model %s: labels cannot be read: %s".formatted(entry.name(), e.getMessage()));
      return List.of();
    }
  }

  /** Attaches a hook to the layers that match any of the patterns. */
  void attach(List<String> paths, PlainHook hook) {
    hooks.add(new Attached(paths.stream().map(LayerPattern::of).toList(), hook));
  }

  boolean isWatched() {
    return !hooks.isEmpty();
  }

  /** The hooks of a module, in the order in which they were attached. */
  List<PlainHook> hooksOf(String path) {
    if (hooks.isEmpty()) {
      return List.of();
    }
    ModulePath parsed = ModulePath.parse(path);
    return hooks.stream()
        .filter(attached -> attached.layers.stream().anyMatch(l -> l.matches(parsed)))
        .map(Attached::hook)
        .toList();
  }

  /** Whether the layer's output is recorded by name. */
  boolean captures(String path) {
    return captured.computeIfAbsent(
        path, p -> layers.stream().anyMatch(layer -> layer.matches(ModulePath.parse(p))));
  }

  /** A line for every layer of the configuration that matches no module. */
  List<String> unmatched(ModelInfo model) {
    List<String> paths = model.modules().stream().map(ModuleInfo::path).toList();
    return layers.stream()
        .filter(layer -> paths.stream().noneMatch(p -> layer.matches(ModulePath.parse(p))))
        .map(
            layer ->
                "model %s: layer '%s' matches none of its %d modules; closest: %s"
                    .formatted(
                        entry.name(),
                        layer,
                        paths.size(),
                        Nearest.to(layer.toString(), paths, CLOSEST)))
        .toList();
  }

  /** Whether a pass can begin with a call of this object. */
  boolean isRoot(Object object) {
    return rootTypes.matches(object.getClass());
  }

  /**
   * The modules below a root that match {@code layers}, a path or a glob. An object reachable by
   * several paths appears once.
   *
   * @throws IllegalArgumentException if none matches; the message lists the closest paths
   */
  List<Object> modules(Object root, String layers) {
    Map<String, Object> modules = new LinkedHashMap<>();
    modules.put(".", root);
    names
        .below(root)
        .forEach(
            (path, object) -> {
              if (moduleTypes.matches(object.getClass())) {
                modules.put(path, object);
              }
            });
    LayerPattern pattern = LayerPattern.of(layers);
    List<ModulePath> selected =
        pattern.select(modules.keySet().stream().map(ModulePath::parse).toList());
    if (selected.isEmpty()) {
      throw new IllegalArgumentException(
          "'%s' matches none of the %d modules of %s; closest: %s"
              .formatted(
                  layers,
                  modules.size(),
                  root.getClass().getSimpleName(),
                  Nearest.to(layers, List.copyOf(modules.keySet()), CLOSEST)));
    }
    return modules.entrySet().stream()
        .filter(module -> selected.contains(ModulePath.parse(module.getKey())))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Whether the last layer with a spatial output is recorded, whichever it is. */
  boolean capturesAuto() {
    return auto;
  }

  boolean captures(CaptureKind kind) {
    return entry.capture().contains(kind);
  }

  boolean capturesAnything() {
    return !entry.capture().isEmpty();
  }

  /** Whether camhook runs its own backward pass, for the score of a class. */
  boolean wantsScoreGradient() {
    return recordsGradients()
        && entry.target().kind() != CamhookConfig.Target.Kind.NONE
        && !wantsLossGradient();
  }

  /** Whether the gradients of the application's own backward are recorded. */
  boolean wantsLossGradient() {
    return recordsGradients() && entry.target().kind() == CamhookConfig.Target.Kind.LOSS;
  }

  private boolean recordsGradients() {
    return captures(CaptureKind.GRADIENT) && places.goesBackward();
  }

  /** Notes the layers of a pass, if camhook goes backward by their methods. */
  @Nullable LayerChain chain() {
    return wantsScoreGradient() && places.layerwise() != null
        ? new LayerChain(this, places.layerwise())
        : null;
  }

  /** The layers' backward method. */
  @Nullable String layerBackward() {
    return places.module().backward();
  }

  String name() {
    return entry.name();
  }

  CamhookConfig.Target target() {
    return entry.target();
  }

  List<String> labels() {
    return labels;
  }

  /** How the tensors of a module are read. */
  TensorAccess tensors(Object module) {
    return isOfRootClass(module) ? rootTensors : tensors;
  }

  /** How the tensors that the root gets and returns are read. */
  TensorAccess rootTensors() {
    return rootTensors;
  }

  /** Where the values of a module's calls are. */
  private PlainNetwork.Values values(Object module) {
    return isOfRootClass(module) ? places.rootValues() : places.values();
  }

  /** Whether the methods woven into the object's class are those of the root. */
  private boolean isOfRootClass(Object module) {
    return places.root() != null && isRoot(module);
  }

  /** Whether an object is a layer of the network or one of its tensors. */
  boolean isOwn(Object object) {
    return moduleTypes.matches(object.getClass())
        || tensors.isObject(object)
        || rootTensors.isObject(object);
  }

  ModuleNames names() {
    return names;
  }

  /** A copy of what the root was given. */
  Tensor readInput(Object value, Object root) {
    return rootTensors.readInput(value, root, places.inputShape());
  }

  /** The methods of the class that a pass begins with. */
  PlainNetwork.Methods rootMethods() {
    return places.root() == null ? places.module() : places.root();
  }

  /** Whether the root has its own class. */
  boolean hasRootClass() {
    return places.root() != null;
  }

  Place input(Object module) {
    return values(module).input();
  }

  Place output(Object module) {
    return values(module).output();
  }

  Place gradOutput(Object module) {
    return values(module).gradOutput();
  }

  Place gradInput(Object module) {
    return values(module).gradInput();
  }

  /** The value at a place of a call, which may still be running; null if there is no tensor. */
  @Nullable Object valueAt(
      Place place, Object module, Object[] arguments, @Nullable Object result) {
    Object value =
        switch (place.kind()) {
          case RETURN -> result;
          case ARGUMENT -> {
            int index = argument(place, module, arguments);
            yield index < 0 ? null : arguments[index];
          }
          case FIELD ->
              Member.find(module.getClass(), place.field()).map(m -> m.get(module)).orElse(null);
          case NONE -> null;
        };
    Object meant =
        value == null || place.isWhole() ? value : new MemberChain(place.member()).get(value);
    return tensors(module).isTensor(meant) ? meant : null;
  }

  /** Index of the argument that a place refers to; -1 if there is none. */
  int argument(Place place, Object module, Object[] arguments) {
    if (place.argument() >= 0) {
      return place.argument() < arguments.length ? place.argument() : -1;
    }
    for (int i = 0; i < arguments.length; i++) {
      if (tensors(module).isTensor(arguments[i])) {
        return i;
      }
    }
    return -1;
  }
}
