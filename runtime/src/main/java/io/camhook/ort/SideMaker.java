package io.camhook.ort;

import ai.onnxruntime.OrtSession;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.UserHook;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookMoment;
import io.camhook.engine.AdapterContext;
import io.camhook.naming.LayerPattern;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Creates the side sessions for one of the application's sessions. Runs on the worker's thread. */
final class SideMaker implements Runnable {
  private static final int THREADS = 1;

  private final WatchedSession watched;
  private final OnnxPlan plan;
  private final AdapterContext context;
  private final AtomicInteger open;
  private final Failures failures;
  private final LayerHooks hooks;
  private @Nullable SessionSource source;
  private @Nullable ModelInfo noted;

  /**
   * @param open counts the sessions of camhook's own
   */
  SideMaker(
      WatchedSession watched,
      SessionSource source,
      AdapterContext context,
      AtomicInteger open,
      Failures failures) {
    this.watched = watched;
    this.plan = watched.plan();
    this.source = source;
    this.context = context;
    this.open = open;
    this.failures = failures;
    this.hooks = new LayerHooks(plan, failures);
  }

  @Override
  public void run() {
    SideSessions made = null;
    try {
      made = watched.isClosed() ? null : make();
    } catch (IOException e) {
      failures.mistake(
          "model %s: nothing inside it is captured: %s".formatted(plan.label(), e.getMessage()));
    } catch (Throwable e) {
      failures.add("the side session of model " + plan.label() + " could not be made", e);
    } finally {
      watched.made(made);
      hashBytes();
      source = null; // the application's array
    }
  }

  /**
   * Runs once the side sessions exist, so that captures that wait for them do not wait for a hash.
   */
  private void hashBytes() {
    try {
      ModelInfo model = noted;
      String sha256 = model == null || source == null ? null : source.sha256();
      if (model != null && sha256 != null) {
        context.recorder().model(model.hashed(sha256));
      }
    } catch (Throwable e) {
      failures.add("the hash of model " + plan.label() + " could not be made", e);
    }
  }

  private @Nullable SideSessions make() throws IOException {
    SessionSource from = Objects.requireNonNull(source);
    OrtModel model = OrtModel.of(watched.environment(), from.read(), from.folder(), THREADS);
    if (Thread.currentThread().isInterrupted()) { // the JVM is ending
      return null;
    }
    GraphLayers layers = new GraphLayers(model);
    String engine = "onnxruntime " + watched.environment().getVersion();
    ModelInfo info = new ModelInfo(plan.label(), layers.modules()).on(engine);
    if (!model.model().externalFiles().isEmpty()) {
      info = info.with("its hash is of the .onnx file alone, without the files of its weights");
    }
    noted = info;
    context.recorder().model(info, from.modelFile());
    String score = score(model);
    Set<GraphLayers.Layer> recorded = new LinkedHashSet<>();
    if (plan.capturesLayers()) {
      recorded.addAll(select(plan.entry().layers(), "", layers, score));
    }
    Set<GraphLayers.Layer> replacing = new LinkedHashSet<>();
    Set<GraphLayers.Layer> hooked = attachHooks(layers, score, replacing);
    if (context.config().dryRun()) {
      List<LayerOutput> at = recorded.stream().map(GraphLayers.Layer::layer).toList();
      context.log().info("dry run: model %s would be captured at %s".formatted(plan.label(), at));
      return null;
    }
    Set<GraphLayers.Layer> all = new LinkedHashSet<>(recorded);
    all.addAll(hooked);
    ReplacingSessions replaced = null;
    OrtModel seen = model;
    if (!replacing.isEmpty()) {
      List<GraphLayers.Layer> edges = layers.inOrder(replacing);
      replaced = replacing(model, edges);
      seen = beyond(model, edges, all);
    }
    SideSession looking = hooked.isEmpty() ? null : looking(seen, layers.inOrder(hooked));
    SideSession capturing =
        all.isEmpty() || !plan.capturesAnything()
            ? null
            : capturing(seen, layers.inOrder(all), recorded, score);
    return new SideSessions(capturing, looking, replaced, hooks);
  }

  private ReplacingSessions replacing(OrtModel model, List<GraphLayers.Layer> layers)
      throws OnnxException {
    List<ReplacingSessions.Stage> stages = new ArrayList<>();
    Set<String> edges = new LinkedHashSet<>();
    for (GraphLayers.Layer layer : layers) {
      if (edges.contains(layer.value())) { // modules that return one value
        plan.sayOnce(
            "hooks that replace at '%s' are not called: another layer returns the same value"
                .formatted(layer.layer()));
        continue;
      }
      stages.add(
          new ReplacingSessions.Stage(
              tap(layer, null, false), part(model, edges, List.of(layer.value()))));
      edges.add(layer.value());
    }
    return new ReplacingSessions(stages, part(model, edges, outputs(model)));
  }

  private SideSession part(OrtModel model, Collection<String> given, Collection<String> outputs)
      throws OnnxException {
    return new SideSession(
        new SideModel(List.of(), null, null, null),
        model.session(model.between(given, outputs)),
        open);
  }

  /** The model for hooks that only look: the values that other hooks replace are inputs. */
  private static OrtModel beyond(
      OrtModel model, List<GraphLayers.Layer> edges, Set<GraphLayers.Layer> seen)
      throws OnnxException {
    Set<String> given = new LinkedHashSet<>(values(edges));
    Set<String> outputs = new LinkedHashSet<>(outputs(model));
    outputs.addAll(values(seen));
    outputs.removeAll(given);
    return model.of(model.between(given, outputs));
  }

  private static List<String> outputs(OrtModel model) {
    return model.model().graph().outputs().stream().map(ValueInfo::name).toList();
  }

  private List<GraphLayers.Layer> select(
      List<String> patterns, String who, GraphLayers layers, @Nullable String score) {
    List<GraphLayers.Layer> selected = new ArrayList<>();
    for (String pattern : patterns) {
      try {
        selected.addAll(
            pattern.equals(LayerPattern.AUTO)
                ? List.of(auto(layers, score))
                : layers.select(pattern));
      } catch (OnnxException e) {
        failures.mistake("model %s: %s%s".formatted(plan.label(), who, e.getMessage()));
      }
    }
    return selected;
  }

  private GraphLayers.Layer auto(GraphLayers layers, @Nullable String score) throws OnnxException {
    OnnxModules.Auto found = layers.auto(score);
    GraphLayers.Layer layer = GraphLayers.Layer.of(found.module());
    String notice = found.notice();
    context
        .log()
        .info(
            "model %s: %s"
                .formatted(
                    plan.label(),
                    notice != null
                        ? notice
                        : "'auto' is layer '%s'".formatted(layer.layer().path())));
    return layer;
  }

  /**
   * Returns the layers that hooks look at; adds those whose values hooks replace to {@code
   * replacing}.
   */
  private Set<GraphLayers.Layer> attachHooks(
      GraphLayers layers, @Nullable String score, Set<GraphLayers.Layer> replacing) {
    Set<GraphLayers.Layer> hooked = new LinkedHashSet<>();
    for (CamhookConfig.Hook hook : plan.entry().hooks()) {
      List<GraphLayers.Layer> on =
          select(hook.layers(), "hook " + hook.hook() + ": ", layers, score);
      Set<LayerOutput> outputs = new LinkedHashSet<>();
      on.forEach(layer -> outputs.add(layer.layer()));
      if (context.config().dryRun()) {
        context
            .log()
            .info(
                "dry run: model %s: hook %s would be attached to %d layers"
                    .formatted(plan.label(), hook.hook(), outputs.size()));
        continue;
      }
      LayerWatch watch = context.watches().of(hook);
      if (watch != null) {
        hooks.add(outputs, watch);
      } else if (!attachOwn(hook, outputs)) {
        continue;
      }
      (hook.replaces() ? replacing : hooked).addAll(on);
    }
    return hooked;
  }

  private boolean attachOwn(CamhookConfig.Hook entry, Set<LayerOutput> outputs) {
    try {
      Object hook = UserHook.load(entry.hook(), entry.options(), loaders());
      List<HookKind> kinds =
          HookKind.of(hook).stream()
              .filter(kind -> LayerHooks.MOMENTS.contains(kind.moment()))
              .toList();
      if (kinds.isEmpty()) {
        plan.sayOnce(
            "hook %s: onnxruntime shows only what layers return, so only a %s can look; found a pre hook"
                .formatted(entry.hook(), HookKind.types(LayerHooks.MOMENTS)));
        return false;
      }
      if (entry.replaces() && kinds.stream().noneMatch(kind -> kind.moment().isForward())) {
        plan.sayOnce(
            "hook %s: 'replace: true' needs a %s; gradients of this engine are only looked at"
                .formatted(entry.hook(), HookKind.types(Set.of(HookMoment.AFTER_FORWARD))));
        return false;
      }
      for (HookKind kind : kinds) {
        boolean replaces = entry.replaces() && kind.isMeantToReplace(kinds);
        hooks.add(outputs, new HookEntry(kind, hook, false, replaces, null));
      }
      return true;
    } catch (UserHook.UnusableException e) {
      plan.sayOnce(e.getMessage() + "; the model runs without it");
      return false;
    }
  }

  private List<ClassLoader> loaders() {
    return Stream.of(
            watched.loader(),
            watched.environment().getClass().getClassLoader(),
            ClassLoader.getSystemClassLoader())
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  private SideSession looking(OrtModel model, List<GraphLayers.Layer> hooked) throws OnnxException {
    List<SideModel.Tap> taps = new ArrayList<>();
    hooked.forEach(layer -> taps.add(tap(layer, null, false)));
    OrtSession session = model.session(model.upTo(inner(model, hooked)));
    return new SideSession(new SideModel(taps, null, null, null), session, open);
  }

  private SideSession capturing(
      OrtModel model,
      List<GraphLayers.Layer> layers,
      Set<GraphLayers.Layer> recorded,
      @Nullable String score)
      throws OnnxException {
    if (score == null || !plan.wantsGradient()) {
      List<SideModel.Tap> taps =
          layers.stream().map(layer -> tap(layer, null, recorded.contains(layer))).toList();
      OrtSession session = model.session(model.upTo(inner(model, layers)));
      return new SideSession(new SideModel(taps, null, null, null), session, open);
    }
    GradientModel gradient =
        GradientModel.of(model.model(), model.types())
            .taps(values(layers))
            .score(score)
            .outputs(List.of(score)) // to be compared with the application's
            .build();
    List<SideModel.Tap> taps = new ArrayList<>();
    Map<String, List<String>> refused = new LinkedHashMap<>();
    for (GraphLayers.Layer layer : layers) {
      String name = gradient.gradientOf(layer.value()).orElse(null);
      taps.add(tap(layer, name, recorded.contains(layer)));
      String why = gradient.refusals().get(layer.value());
      if (why != null) {
        refused.computeIfAbsent(why, w -> new ArrayList<>()).add(layer.layer().toString());
      }
    }
    refused.forEach(
        (why, where) ->
            plan.sayOnce(
                "%s: captured without gradients: %s".formatted(String.join(", ", where), why)));
    GemmHead end = null;
    for (GraphLayers.Layer layer : layers) {
      if (end == null && recorded.contains(layer)) {
        end = GemmHead.of(model.model().graph(), score, layer.value()).orElse(null);
      }
    }
    return new SideSession(
        new SideModel(taps, GradientModel.SEED, score, end), model.session(gradient.model()), open);
  }

  private static SideModel.Tap tap(
      GraphLayers.Layer layer, @Nullable String gradient, boolean recorded) {
    return new SideModel.Tap(layer.layer(), layer.type(), layer.value(), gradient, recorded);
  }

  /** The values of layers that the model computes rather than takes as inputs. */
  private static List<String> inner(OrtModel model, Collection<GraphLayers.Layer> layers) {
    Set<String> given = new LinkedHashSet<>();
    model.model().graph().realInputs().forEach(input -> given.add(input.name()));
    List<String> inner = values(layers).stream().filter(value -> !given.contains(value)).toList();
    return inner.isEmpty() ? outputs(model) : inner;
  }

  private static List<String> values(Collection<GraphLayers.Layer> layers) {
    return layers.stream().map(GraphLayers.Layer::value).distinct().toList();
  }

  /** The output that is differentiated, as {@link PassValues#scores} finds it in a run. */
  private @Nullable String score(OrtModel model) {
    List<String> possible = new ArrayList<>();
    for (ValueInfo output : model.model().graph().outputs()) {
      TensorType type = model.types().get(output.name());
      boolean single = type != null && type.dimensions() != null && type.dimensions().isEmpty();
      if (type != null && type.element().isReal() && !single) {
        possible.add(output.name());
      }
    }
    String score = plan.scores(possible, watched.outputs());
    if (score == null && plan.wantsGradient()) {
      plan.sayOnce("none of its outputs can be class scores, so that it has no gradients");
    }
    return score;
  }
}
