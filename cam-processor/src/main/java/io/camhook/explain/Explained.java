package io.camhook.explain;

import ai.djl.engine.EngineException;
import io.camhook.cam.AugSmooth;
import io.camhook.cam.CamException;
import io.camhook.cam.CamMethod;
import io.camhook.cam.CamMethods;
import io.camhook.cam.CamResult;
import io.camhook.cam.FeatureFactorization;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.cam.Requirement;
import io.camhook.cam.model.ConceptOutputs;
import io.camhook.cam.model.ModelMethod;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.BoxTarget;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Detection;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.engine.ModelSession;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One input with the model's outputs, activations A, and gradients g of every target; computes maps
 * of any method. Belongs to its {@link Explainer}, which must be open while maps are asked for. Not
 * thread-safe.
 */
public final class Explained {
  /** Message for layers without an entry in {@link #activations}. */
  public static final String NO_LAYER =
      "no layer was recorded: with this input the model's code does not call any that was named, or"
          + " it returns no tensor";

  private final ModelInput input;
  private final List<Tensor> fed;
  private final ModelSession.Pass pass;
  private final List<ScoreTarget> targets;
  private final Explanations how;
  private final ExplainedInputs inputs;
  private List<Explained> variants = List.of();

  /**
   * The settings that the inputs of one explainer share.
   *
   * @param layersAreNamed false if layers were given as globs, which may match unsuitable layers
   * @param classes the axis of the classes
   * @param owners the input that each layer's output lies over, if known
   * @param calls the number of the call that a layer's output is of
   * @param outputName position or key of the output that holds the scores
   */
  record Explanations(
      ModelSession session,
      MethodSessions sides,
      ClassifierWeights classifier,
      boolean layersAreNamed,
      ClassAxis classes,
      Layouts layouts,
      @Nullable Integer wantedInput,
      BatchLimit limit,
      Map<LayerOutput, Integer> owners,
      ToIntFunction<LayerOutput> calls,
      String outputName,
      Boxes.@Nullable Format boxes) {}

  /**
   * @param input the user's input
   * @param fed the tensors passed to the model, in its own order and types
   */
  Explained(
      ModelInput input,
      List<Tensor> fed,
      ModelSession.Pass pass,
      List<ScoreTarget> targets,
      Explanations how) {
    this.input = input;
    this.fed = List.copyOf(fed);
    this.pass = pass;
    this.targets = List.copyOf(targets);
    this.how = how;
    how.sides().seen(pass.activations());
    this.inputs =
        new ExplainedInputs(
            how.session(), how.layouts(), fed, how.wantedInput(), pass.activations(), how.owners());
  }

  /** The model's input. */
  public ModelInput input() {
    return input;
  }

  /** The scalars that were differentiated; empty without a target. */
  public List<ScoreTarget> targets() {
    return targets;
  }

  /**
   * The model's first floating-point output, {@code [1,…]}; empty if the pass stopped before it.
   */
  public Optional<Tensor> logits() {
    return pass.outputs().isEmpty()
        ? Optional.empty()
        : Optional.of(ExplainedModel.first(pass.outputs()));
  }

  /** What the layers returned, in order of the calls, in their own layout. */
  public Map<LayerOutput, Tensor> activations() {
    return pass.activations();
  }

  /** ∂score/∂A of target {@code n}; no entry for a layer that the target does not depend on. */
  public Map<LayerOutput, Tensor> gradients(int n) {
    return n < pass.gradients().size() ? pass.gradients().get(n) : Map.of();
  }

  /**
   * The class of target {@code n}: the one output that its score increases with; -1 if there is not
   * exactly one.
   */
  public int classIndex(int n) {
    if (targets.get(n) instanceof BoxTarget) {
      return -1; // one of several boxes, or all of them
    }
    int index = -1;
    Tensor output = logits().orElseThrow();
    float[] derivative = derivative(n);
    for (int i = 0; i < derivative.length; i++) {
      if (derivative[i] != 0) {
        int of = how.classes().classOf(i, output);
        if (index >= 0 && index != of || derivative[i] != 1) {
          return -1;
        }
        index = of;
      }
    }
    return index;
  }

  /** Position or key of the output that holds the scores. */
  public String outputName() {
    return how.outputName();
  }

  /** The class axis of the output. */
  public int classAxis() {
    return how.classes().axis();
  }

  /**
   * The layout of a layer's output.
   *
   * @throws CamException if it has no spatial extent, or if its layout is ambiguous
   */
  public Layout layout(LayerOutput layer) {
    Tensor activation = pass.activations().get(layer);
    if (activation == null) {
      throw new CamException("layer '%s' was not recorded".formatted(layer));
    }
    return inputs.layout(layer, activation);
  }

  /**
   * One layer, channels first.
   *
   * @throws CamException if it has no spatial extent, or if its layout is ambiguous
   */
  public LayerSample sample(LayerTensors layer) {
    return layer.sample(0, shapeUnder(layer));
  }

  /** The first explained input in the form that methods use: float32 {@code [1,C,…]}. */
  public Tensor explainedInput() {
    return inputs.forMethods(inputs.primary());
  }

  /**
   * The boxes that a detector finds, most confident first; empty if the outputs contain no boxes.
   */
  public List<Detection> detections(int most) {
    if (how.boxes() == null && !DetectorOutputs.areClear(pass.outputs())) {
      return List.of();
    }
    return Boxes.best(DetectorOutputs.read(pass.outputs(), how.boxes()), most);
  }

  /** The explained token ids {@code [1,T]}; empty if the input holds other numbers. */
  public Optional<Tensor> tokenIds() {
    Tensor ids = fed.get(inputs.primary());
    return ids.rank() == 2 && inputs.form(inputs.primary()).isInteger()
        ? Optional.of(ids)
        : Optional.empty();
  }

  /** The score of target {@code n}. */
  public double score(int n) {
    return targets.get(n).score(logits().orElseThrow().toFloats());
  }

  private float[] derivative(int n) {
    return targets.get(n).gradientAtLogits(logits().orElseThrow().toFloats());
  }

  /**
   * The map of a method for target {@code n}: that of the layers' first call, or of the first
   * input. If layers were given as globs, only those that the method can use take part.
   *
   * @param options for methods that run the model again
   * @throws CamException if the method needs something that the layers or the model cannot provide
   */
  public CamResult map(String method, int n, RunOptions options, Heatmaps pipeline) {
    return maps(method, n, options, pipeline).get(0);
  }

  /**
   * The maps for every call: a layer that the model calls several times has one map per call, over
   * the input that it belongs to; a method whose map lies over the input has one per input.
   */
  public List<CamResult> maps(String method, int n, RunOptions options, Heatmaps pipeline) {
    ModelMethods.requireKnown(method);
    try {
      return computed(method, n, options, pipeline);
    } catch (EngineException | OrtRunException e) {
      throw new CamException(
          "%s fails on this model: %s".formatted(method, EngineMessages.shortened(e)));
    }
  }

  /**
   * The same with {@link AugSmooth}: the raw maps are those of the input, the heatmap is the mean
   * over its variants.
   */
  public List<CamResult> augSmoothed(String method, int n, RunOptions options, Heatmaps pipeline) {
    List<CamResult> plain = maps(method, n, options, pipeline);
    List<List<FloatMap>> heatmaps = new ArrayList<>();
    plain.forEach(each -> heatmaps.add(new ArrayList<>()));
    for (Explained variant : variants(method)) {
      List<CamResult> maps = variant.maps(method, n, options, pipeline);
      for (int i = 0; i < plain.size(); i++) {
        heatmaps.get(i).add(maps.get(i).heatmap());
      }
    }
    List<CamResult> smoothed = new ArrayList<>();
    for (int i = 0; i < plain.size(); i++) {
      CamResult one = plain.get(i);
      smoothed.add(
          new CamResult(one.method(), one.call(), one.raw(), AugSmooth.mean(heatmaps.get(i))));
    }
    return smoothed;
  }

  /**
   * The concepts of the last layer with spatial extent (deep feature factorization). Needs no
   * target.
   *
   * @param count number of concepts
   * @throws CamException if no layer has spatial extent, or the layer has too few channels
   */
  public LayerConcepts concepts(int count, RunOptions options) {
    List<LayerTensors> spatial = spatialLayers("concepts", 0);
    LayerTensors layer = spatial.get(spatial.size() - 1);
    long[] shape = shapeUnder(layer);
    FeatureFactorization found = FeatureFactorization.of(layer, shape, count, options.seed());
    int[] size = Arrays.stream(shape).skip(2).mapToInt(Math::toIntExact).toArray();
    int[] maps = layer.sample(0, shape).spatial();
    return new LayerConcepts(
        found, found.heatmaps(0, size.length == maps.length ? size : maps), answers(layer, found));
  }

  /** The model's outputs for the concepts; empty if the model cannot be run from the layer on. */
  private List<float[]> answers(LayerTensors layer, FeatureFactorization found) {
    try {
      return ConceptOutputs.of(model(inputs.primary()), explainedInput(), layer, found);
    } catch (CamException | EngineException | OrtRunException e) {
      return List.of();
    }
  }

  private List<LayerTensors> spatialLayers(String method, int n) {
    return usable(method, layers(n), this::sample, how.layersAreNamed());
  }

  private List<Explained> variants(String method) {
    if (variants.isEmpty()) {
      if (inputs.form(inputs.primary()).isInteger()) {
        throw new CamException(
            method + ": --aug-smooth mirrors pictures, and the input holds token ids");
      }
      variants = AugSmooth.variants(explainedInput()).stream().map(this::again).toList();
    }
    return variants;
  }

  private List<CamResult> computed(String method, int n, RunOptions options, Heatmaps pipeline) {
    Optional<ModelMethod> again = ModelMethods.find(method);
    if (again.isPresent()) {
      return runAgain(again.get(), n, options, pipeline);
    }
    CamMethod pure = CamMethods.byId(method);
    requireGradients(pure, n);
    boolean classifier = pure.needs().contains(Requirement.CLASSIFIER);
    List<LayerTensors> usable =
        usable(
            method,
            completed(pure, layers(n), n),
            layer -> pure.raw(sample(layer)),
            how.layersAreNamed() && !classifier);
    List<LayerTensors> chosen =
        classifier ? usable.subList(usable.size() - 1, usable.size()) : usable;
    return eachCall(
        chosen, (layers, owner) -> pipeline.one(pure, layers, shapeUnder(layers.get(0)), 0));
  }

  /** Explains why a layer has no gradient, in terms of this command rather than of a recording. */
  private void requireGradients(CamMethod method, int n) {
    if (!method.needs().contains(Requirement.GRADIENT) || !how.layersAreNamed()) {
      return;
    }
    if (targets.isEmpty()) {
      throw new CamException(
          method.id() + " needs a target; use -t top1, class:N or label:S, or -m eigencam");
    }
    for (LayerOutput layer : pass.activations().keySet()) {
      if (!gradients(n).containsKey(layer)) {
        throw new CamException(
            "%s: output %s does not depend on layer %s, or no gradient reaches it (another head, an operator without a derivative); choose a layer before the output, another output (--output), or -m eigencam, scorecam or ablationcam"
                .formatted(method.id(), how.outputName(), layer));
      }
    }
  }

  private interface OneCall {
    CamResult of(List<LayerTensors> layers, int input);
  }

  /** Calls are never averaged: the first calls of all layers make one map, the second another. */
  private List<CamResult> eachCall(List<LayerTensors> layers, OneCall method) {
    Map<Integer, List<LayerTensors>> calls = new TreeMap<>();
    for (LayerTensors layer : layers) {
      int number = how.calls().applyAsInt(output(layer));
      calls.computeIfAbsent(number, call -> new ArrayList<>()).add(layer);
    }
    List<CamResult> results = new ArrayList<>();
    calls.forEach(
        (call, of) -> results.add(method.of(of, inputs.owner(output(of.get(0)))).ofCall(call)));
    return results;
  }

  private static LayerOutput output(LayerTensors layer) {
    return LayerOutput.parse(layer.path());
  }

  /**
   * The layers that pass a test.
   *
   * @param all whether a layer that does not is an error
   */
  private static List<LayerTensors> usable(
      String method, List<LayerTensors> layers, Consumer<LayerTensors> test, boolean all) {
    List<LayerTensors> usable = new ArrayList<>();
    CamException why = null;
    for (LayerTensors layer : layers) {
      try {
        test.accept(layer);
        usable.add(layer);
      } catch (CamException e) {
        why = e;
        if (all) {
          throw e;
        }
      }
    }
    if (usable.isEmpty()) {
      throw why != null ? why : new CamException(method + ": " + NO_LAYER);
    }
    return usable;
  }

  /** The layers with what a method needs beyond A and g. */
  private List<LayerTensors> completed(CamMethod method, List<LayerTensors> layers, int n) {
    if (method.needs().contains(Requirement.FINER_GRADIENT)) {
      return withFinerGradients(layers, n);
    }
    if (method.needs().contains(Requirement.CURVATURE)) {
      return layers.stream().map(layer -> withCurvature(layer, n)).toList();
    }
    return layers;
  }

  private List<LayerTensors> withFinerGradients(List<LayerTensors> layers, int n) {
    int index = n < targets.size() ? classIndex(n) : -1;
    if (index < 0) {
      throw new CamException(
          "finercam compares a class with others; use -t top1, class:N or label:S");
    }
    ScoreTarget finer = Targets.finer(index, logits().orElseThrow().toFloats());
    List<String> paths = layers.stream().map(LayerTensors::path).toList();
    List<LayerTensors> found =
        model(inputs.primary()).layers(explainedInput(), List.of(finer), paths);
    List<LayerTensors> completed = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      completed.add(layers.get(i).withFinerGradient(found.get(i).gradient()));
    }
    return completed;
  }

  private LayerTensors withCurvature(LayerTensors layer, int n) {
    if (n >= targets.size() || layer.gradient() == null) {
      return layer;
    }
    ExplainedModel model = model(inputs.primary());
    Tensor product =
        model.hessianProduct(
            explainedInput(), List.of(targets.get(n)), layer.path(), layer.activation());
    if (classIndex(n) < 0) {
      product = TargetCurvature.added(product, model, explainedInput(), targets.get(n), layer);
    }
    return layer.withCurvature(product);
  }

  private List<CamResult> runAgain(
      ModelMethod method, int n, RunOptions options, Heatmaps pipeline) {
    if (n >= targets.size()) {
      throw new CamException(method.id() + " needs a target; use -t top1, class:N or label:S");
    }
    ScoreTarget target = targets.get(n);
    if (method.usesLayers()) {
      return eachCall(
          spatialLayers(method.id(), n),
          (layers, owner) -> method.explain(modelRun(owner, target, options), layers, pipeline));
    }
    List<CamResult> results = new ArrayList<>();
    for (int i = 0; i < inputs.explained().size(); i++) {
      ModelRun run = modelRun(inputs.explained().get(i), target, options);
      results.add(ofInput(method.explain(run, List.of(), pipeline), i));
    }
    return results;
  }

  /** Maps of the input belong to the input with that number: {@code input}, {@code input#1} … */
  private static CamResult ofInput(CamResult result, int number) {
    if (number == 0) {
      return result;
    }
    Map<String, FloatMap> raw = new LinkedHashMap<>();
    result.raw().forEach((path, map) -> raw.put(path + "#" + number, map));
    return new CamResult(result.method(), number, raw, result.heatmap());
  }

  /** The model and the first explained input, for another target. */
  ModelRun modelRun(ScoreTarget target, RunOptions options) {
    return modelRun(inputs.primary(), target, options);
  }

  private ModelRun modelRun(int changed, ScoreTarget target, RunOptions options) {
    return new ModelRun(model(changed), inputs.forMethods(changed), target, options);
  }

  private ExplainedModel model(int changed) {
    return new ExplainedModel(
        how.session(), how.sides(), fed, changed, inputs.form(changed), how.limit(), how.boxes());
  }

  /** The same targets for a changed first input, in the form that methods see. */
  Explained again(Tensor changed) {
    int primary = inputs.primary();
    List<Tensor> all = new ArrayList<>(fed);
    all.set(primary, inputs.form(primary).forModel(changed));
    return new Explained(input.with(all), all, model(primary).pass(all, targets), targets, how);
  }

  /** A, g and the classifier's row of every layer, for target {@code n}. */
  public List<LayerTensors> layers(int n) {
    Map<LayerOutput, Tensor> gradients = gradients(n);
    List<LayerTensors> layers = new ArrayList<>();
    pass.activations()
        .forEach(
            (layer, activation) -> {
              LayerTensors tensors =
                  LayerTensors.of(layer.toString(), activation, gradients.get(layer))
                      .withLayout(layoutIfAny(layer, activation));
              layers.add(
                  n < targets.size() && activation.rank() >= 3
                      ? tensors.withClassifierRows(how.classifier().row(derivative(n), activation))
                      : tensors);
            });
    return layers;
  }

  /** Null if there is none; taking a sample of the layer then reports why. */
  private @Nullable Layout layoutIfAny(LayerOutput layer, Tensor activation) {
    try {
      return inputs.layout(layer, activation);
    } catch (CamException e) {
      return null;
    }
  }

  /** Shape of the input that a layer lies over, in the form that methods use. */
  private long[] shapeUnder(LayerTensors layer) {
    LayerOutput output = output(layer);
    if (layer.layout() == null) {
      inputs.layout(output, layer.activation()); // reports why there is none
    }
    return inputs.forMethods(inputs.owner(output)).shape();
  }
}
