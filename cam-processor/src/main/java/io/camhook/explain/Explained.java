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
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.cam.Need;
import io.camhook.cam.model.ConceptOutputs;
import io.camhook.cam.model.ModelMethod;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.engine.ModelSession;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One input and what the model made of it: outputs, activations A, gradients g of every target; and
 * maps of any method. Belongs to its {@link Explainer}, which must be open while maps are asked
 * for. Not thread-safe.
 */
public final class Explained {
  /** Where {@link #activations} has nothing. */
  public static final String NO_LAYER =
      "no layer was recorded: with this input the model's code does not call any that was named, or"
          + " it returns no tensor";

  private final ModelInput input;
  private final ModelSession.Pass pass;
  private final List<ScoreTarget> targets;
  private final boolean layersAreNamed;
  private final ExplainedModel model;
  private final ClassifierWeights classifier;
  private final @Nullable Layout layout;
  private List<Explained> variants = List.of();

  Explained(
      ModelInput input,
      ModelSession.Pass pass,
      List<ScoreTarget> targets,
      boolean layersAreNamed,
      ExplainedModel model,
      ClassifierWeights classifier,
      @Nullable Layout layout) {
    this.input = input;
    this.pass = pass;
    this.targets = List.copyOf(targets);
    this.layersAreNamed = layersAreNamed;
    this.model = model;
    this.classifier = classifier;
    this.layout = layout;
  }

  /** What the model was fed. */
  public ModelInput input() {
    return input;
  }

  /** The scalars that were differentiated; empty without a target. */
  public List<ScoreTarget> targets() {
    return targets;
  }

  /** The model's first floating-point output, {@code [1,…]}; empty if the pass stopped before. */
  public Optional<Tensor> logits() {
    return pass.outputs().isEmpty()
        ? Optional.empty()
        : Optional.of(ExplainedModel.first(pass.outputs()));
  }

  /** What the layers returned, in order of the calls, in their own layout. */
  public Map<LayerOutput, Tensor> activations() {
    return pass.activations();
  }

  /** ∂score/∂A of target {@code n}; no entry for a layer that it does not depend on. */
  public Map<LayerOutput, Tensor> gradients(int n) {
    return n < pass.gradients().size() ? pass.gradients().get(n) : Map.of();
  }

  /**
   * The class of target {@code n}: the one output that its score grows with; -1 if there is not
   * exactly one.
   */
  public int classIndex(int n) {
    int index = -1;
    float[] derivative = derivative(n);
    int positions = derivative.length / classes();
    for (int i = 0; i < derivative.length; i++) {
      if (derivative[i] != 0) {
        if (index >= 0 && index != i / positions || derivative[i] != 1) {
          return -1;
        }
        index = i / positions;
      }
    }
    return index;
  }

  private int classes() {
    Tensor output = logits().orElseThrow();
    return Math.toIntExact(output.rank() > 2 ? output.size(1) : output.elements());
  }

  /** The score of target {@code n}. */
  public double score(int n) {
    return targets.get(n).score(logits().orElseThrow().toFloats());
  }

  private float[] derivative(int n) {
    return targets.get(n).gradientAtLogits(logits().orElseThrow().toFloats());
  }

  /**
   * The map of a method for target {@code n}. Where layers were given as globs, those that the
   * method can use take part.
   *
   * @param options for methods that run the model again
   * @throws CamException if the method needs what the layers or the model cannot give
   */
  public CamResult map(String method, int n, RunOptions options, Heatmaps pipeline) {
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
  public CamResult augSmoothed(String method, int n, RunOptions options, Heatmaps pipeline) {
    CamResult plain = map(method, n, options, pipeline);
    List<FloatMap> heatmaps = new ArrayList<>();
    for (Explained variant : variants()) {
      heatmaps.add(variant.map(method, n, options, pipeline).heatmap());
    }
    return new CamResult(plain.method(), plain.raw(), AugSmooth.mean(heatmaps));
  }

  /**
   * What the last layer with spatial extent sees (deep feature factorization). Needs no target.
   *
   * @param count number of concepts
   * @throws CamException if no layer has spatial extent, or the layer has too few channels
   */
  public LayerConcepts concepts(int count, RunOptions options) {
    List<LayerTensors> spatial = spatialLayers("concepts", 0);
    LayerTensors layer = spatial.get(spatial.size() - 1);
    long[] shape = inputShape();
    FeatureFactorization found = FeatureFactorization.of(layer, shape, count, options.seed());
    int[] size = Arrays.stream(shape).skip(2).mapToInt(Math::toIntExact).toArray();
    int[] maps = layer.sample(0, shape).spatial();
    return new LayerConcepts(
        found, found.heatmaps(0, size.length == maps.length ? size : maps), answers(layer, found));
  }

  /** What the model says; nothing where it cannot be run from the layer on. */
  private List<float[]> answers(LayerTensors layer, FeatureFactorization found) {
    try {
      return ConceptOutputs.of(model, input.tensors().get(0), layer, found);
    } catch (CamException | EngineException | OrtRunException e) {
      return List.of();
    }
  }

  private List<LayerTensors> spatialLayers(String method, int n) {
    List<LayerTensors> spatial = new ArrayList<>();
    CamException why = null;
    for (LayerTensors layer : layers(n)) {
      try {
        layer.sample(0, inputShape());
        spatial.add(layer);
      } catch (CamException e) {
        why = e;
        if (layersAreNamed) {
          throw e;
        }
      }
    }
    if (spatial.isEmpty()) {
      throw why != null ? why : new CamException(method + ": " + NO_LAYER);
    }
    return spatial;
  }

  private List<Explained> variants() {
    if (variants.isEmpty()) {
      variants = AugSmooth.variants(input.tensors().get(0)).stream().map(this::again).toList();
    }
    return variants;
  }

  private CamResult computed(String method, int n, RunOptions options, Heatmaps pipeline) {
    Optional<ModelMethod> again = ModelMethods.find(method);
    if (again.isPresent()) {
      return runAgain(again.get(), n, options, pipeline);
    }
    CamMethod pure = CamMethods.byId(method);
    List<LayerTensors> usable = usable(pure, n);
    if (pure.needs().contains(Need.CLASSIFIER)) {
      usable = usable.subList(usable.size() - 1, usable.size());
    }
    return pipeline.one(pure, usable, inputShape(), 0);
  }

  private List<LayerTensors> usable(CamMethod method, int n) {
    boolean all = layersAreNamed && !method.needs().contains(Need.CLASSIFIER);
    List<LayerTensors> usable = new ArrayList<>();
    CamException why = null;
    for (LayerTensors layer : completed(method, layers(n), n)) {
      try {
        method.raw(layer.sample(0, inputShape()));
        usable.add(layer);
      } catch (CamException e) {
        why = e;
        if (all) {
          throw e;
        }
      }
    }
    if (usable.isEmpty()) {
      throw why != null ? why : new CamException(method.id() + ": " + NO_LAYER);
    }
    return usable;
  }

  /** The layers with what a method needs beyond A and g. */
  private List<LayerTensors> completed(CamMethod method, List<LayerTensors> layers, int n) {
    if (method.needs().contains(Need.FINER_GRADIENT)) {
      return withFinerGradients(layers, n);
    }
    if (method.needs().contains(Need.CURVATURE)) {
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
    List<LayerTensors> found = model.layers(input.tensors().get(0), List.of(finer), paths);
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
    if (classIndex(n) < 0) {
      throw new CamException(
          "shapleycam needs a target that is linear in the outputs; use -t top1, class:N or"
              + " label:S");
    }
    Tensor product =
        model.hessianProduct(
            input.tensors().get(0), List.of(targets.get(n)), layer.path(), layer.activation());
    return layer.withCurvature(product);
  }

  private CamResult runAgain(ModelMethod method, int n, RunOptions options, Heatmaps pipeline) {
    if (n >= targets.size()) {
      throw new CamException(method.id() + " needs a target; use -t top1, class:N or label:S");
    }
    List<LayerTensors> spatial = method.usesLayers() ? spatialLayers(method.id(), n) : List.of();
    return method.explain(modelRun(targets.get(n), options), spatial, pipeline);
  }

  /** The model and this input, for another target. */
  ModelRun modelRun(ScoreTarget target, RunOptions options) {
    return new ModelRun(model, input.tensors().get(0), target, options);
  }

  /** The same targets for a changed first input. */
  Explained again(Tensor changed) {
    List<Tensor> inputs = new ArrayList<>(input.tensors());
    inputs.set(0, changed);
    ModelInput other = new ModelInput(input.name(), inputs, null);
    return new Explained(
        other, model.pass(inputs, targets), targets, layersAreNamed, model, classifier, layout);
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
                      .withLayout(layout);
              layers.add(
                  n < targets.size() && activation.rank() >= 3
                      ? tensors.withClassifierRows(classifier.row(derivative(n), activation))
                      : tensors);
            });
    return layers;
  }

  private long[] inputShape() {
    return input.tensors().get(0).shape();
  }
}
