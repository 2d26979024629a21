package io.camhook.explain;

import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.nn.Block;
import io.camhook.cam.Layout;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.engine.ModelSession;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Explains a model where it runs.
 *
 * <pre>{@code
 * try (Explainer explainer = Explainer.load(Path.of("resnet18.pt"), List.of("layer4"))) {
 *   Explained explained = explainer.run(input, TargetChoice.parse("top1", Labels.none()));
 *   CamResult map = explained.map("gradcam", 0, RunOptions.forInput(input.tensors().get(0)), Heatmaps.standard());
 * }
 * }</pre>
 *
 * <p>A TorchScript model is loaded for this explainer alone; {@link #of(Model, List)} takes the
 * application's own model of Java blocks and leaves it as it is. Not thread-safe.
 */
public final class Explainer implements AutoCloseable {
  private final ModelSource source;
  private final ModelListing listing;
  private final List<String> wanted;
  private final boolean layersAreNamed;
  private final BiasLayers biases;
  private @Nullable ModelSession session;
  private @Nullable ClassifierWeights classifier;
  private List<String> layers;
  private @Nullable Layout layout;

  private Explainer(ModelSource source, List<String> wanted) {
    this.source = source;
    this.listing = source.listing();
    this.wanted = List.copyOf(wanted);
    this.biases = new BiasLayers(source);
    this.layersAreNamed = wanted.stream().noneMatch(layer -> layer.contains("*"));
    List<String> named = wanted.stream().filter(layer -> !layer.equals(LayerPattern.AUTO)).toList();
    this.layers = List.copyOf(source.select(named));
    if (named.size() < wanted.size() && listing.rootOnly() != null) {
      throw new ExplainException(
          "%s: no layer 'auto': %s".formatted(listing.model(), listing.rootOnly()));
    }
  }

  /**
   * Opens a TorchScript model, or an {@code .onnx} file.
   *
   * @param model the archive
   * @param layers module paths or globs ({@code *} within a segment, {@code **} across segments,
   *     {@code *} alone is every module), or {@code auto}, the last module with a spatial output,
   *     which the first input shows
   * @throws ExplainException if there is no such file or layer, or PyTorch's natives are missing
   * @throws IOException if the file is no TorchScript archive, with the reason
   */
  public static Explainer load(Path model, List<String> layers) throws IOException {
    ModelListing.requireFile(model);
    if (OnnxSource.isOnnx(model)) {
      return new Explainer(OnnxSource.open(model), layers);
    }
    Explainer explainer = new Explainer(ArchiveSource.of(ModelListing.read(model)), layers);
    ExplainEngine.adapter();
    return explainer;
  }

  /**
   * Takes a model of Java blocks that the application has, in a JVM with the agent. The model stays
   * as it is, and other threads may use it meanwhile. Guided methods take its {@code ReLU} blocks.
   *
   * @param layers as for {@link #load}; paths are those of the block tree, such as {@code 03Conv2d}
   * @throws IllegalStateException if the agent is not there; the message says which flag is missing
   * @throws ExplainException if there is no such layer
   */
  public static Explainer of(Model model, List<String> layers) {
    return new Explainer(BlockSource.of(model), layers);
  }

  /** The same for a block that belongs to no model. */
  public static Explainer of(Block model, List<String> layers) {
    return new Explainer(BlockSource.of(model), layers);
  }

  /** Says where channels and positions of the layers are, in place of finding it; null finds it. */
  public Explainer withLayout(@Nullable Layout wanted) {
    layout = wanted;
    return this;
  }

  /** The model's modules. */
  public ModelListing listing() {
    return listing;
  }

  /** The layers that are recorded; those of {@code auto} from the first run on. */
  public List<String> layers() {
    return layers;
  }

  /** What was asked for and cannot be seen, and why; complete after a run. */
  public List<String> notices() {
    return session == null ? List.of() : session.notices();
  }

  /**
   * Runs the model for one input.
   *
   * @param target what is explained
   * @throws io.camhook.cam.CamException if the output has no such class
   */
  public Explained run(ModelInput input, TargetChoice target) throws IOException {
    return run(input, TargetSelection.of(target));
  }

  /** Records A alone, without autograd; the model runs only as far as the last layer needs. */
  public Explained record(ModelInput input) throws IOException {
    return run(input, (TargetSelection) null);
  }

  /** The same as {@link #run} for targets that are no classes, or are yours; null records. */
  public Explained run(ModelInput input, @Nullable TargetSelection target) throws IOException {
    ModelSession open = session(input);
    List<ScoreTarget> targets = new ArrayList<>();
    AtomicBoolean forwardIsOver = new AtomicBoolean();
    ModelSession.OutputGradients gradients =
        target == null
            ? null
            : output -> {
              forwardIsOver.set(true);
              targets.addAll(target.of(output));
              return targets.stream()
                  .map(each -> ExplainedModel.seed(output, List.of(each)))
                  .toList();
            };
    ModelSession.Pass pass;
    try {
      pass = open.run(input.tensors(), gradients, target == null);
    } catch (EngineException | OrtRunException e) {
      String why = EngineMessages.shortened(e);
      throw new ExplainException(
          forwardIsOver.get()
              ? "the engine cannot differentiate this model: %s; -t none records without gradients"
                  .formatted(why)
              : "the model cannot be run with inputs of shape %s: %s"
                  .formatted(shapes(input.tensors()), why),
          e);
    } catch (IllegalArgumentException e) {
      if (forwardIsOver.get()) {
        throw e; // the target's
      }
      throw new ExplainException(String.valueOf(e.getMessage()), e);
    }
    return new Explained(
        input,
        pass,
        targets,
        layersAreNamed,
        new ExplainedModel(open, biases, input.tensors()),
        Objects.requireNonNull(classifier),
        layout);
  }

  /** The most probable classes of a run, best first. */
  public static List<Prediction> predictions(Explained explained, Labels labels) {
    return explained
        .logits()
        .filter(logits -> logits.rank() <= 2)
        .map(logits -> TopClasses.of(logits.toFloats(), labels))
        .orElse(List.of());
  }

  /** The most probable classes of logits, best first. */
  public static List<Prediction> predictions(float[] logits, Labels labels) {
    return TopClasses.of(logits, labels);
  }

  private ModelSession session(ModelInput input) throws IOException {
    ModelSession open = session;
    if (open == null) {
      if (wanted.contains(LayerPattern.AUTO)) {
        resolveAuto(input);
      }
      open = source.open(layers);
      session = open;
      classifier = new ClassifierWeights(open, listing.modules());
    }
    return open;
  }

  private void resolveAuto(ModelInput input) throws IOException {
    String auto = observe(source, input.tensors()).auto();
    if (auto == null) {
      throw new ExplainException(
          "%s: 'auto' finds no module that returns more than one position, such as [N,C,H,W] with H·W > 1; name a layer, 'camhook layers %s' lists them"
              .formatted(listing.model(), listing.model()));
    }
    Set<String> all = new LinkedHashSet<>(layers);
    all.add(auto);
    layers = List.copyOf(all);
  }

  /**
   * Runs a TorchScript model once and adds what every module returned.
   *
   * @throws IOException if the model cannot be loaded
   */
  public static ModelListing observe(ModelListing listing, List<Tensor> inputs) throws IOException {
    Path file = Path.of(listing.model());
    return observe(
        OnnxSource.isOnnx(file) ? OnnxSource.open(file) : ArchiveSource.of(listing), inputs);
  }

  private static ModelListing observe(ModelSource source, List<Tensor> inputs) throws IOException {
    ModelListing listing = source.listing();
    List<String> paths =
        LayerSelection.called(listing).stream().map(ModuleDescription::path).toList();
    Set<String> known = new HashSet<>(paths);
    Map<String, List<ModelListing.Output>> outputs = new LinkedHashMap<>();
    String auto = null;
    try (ModelSession session = source.open(paths)) {
      Map<LayerOutput, Tensor> seen = session.run(inputs, null, false).activations();
      for (Map.Entry<LayerOutput, Tensor> entry : seen.entrySet()) {
        LayerOutput layer = entry.getKey();
        Tensor tensor = entry.getValue();
        String call = new LayerOutput(layer.path(), layer.call(), null).toString();
        String path = known.contains(call) ? call : layer.path(); // an operator's is its name
        outputs
            .computeIfAbsent(path, p -> new ArrayList<>())
            .add(
                new ModelListing.Output(
                    layer.toString(),
                    tensor.dtype().name(),
                    Arrays.stream(tensor.shape()).boxed().toList()));
        if (isSpatial(tensor, inputs.get(0)) && !layer.path().equals(".")) {
          auto = path;
        }
      }
    } catch (EngineException | OrtRunException e) {
      throw new ExplainException(
          "%s: the model cannot be run with inputs of shape %s: %s"
              .formatted(listing.model(), shapes(inputs), EngineMessages.shortened(e)),
          e);
    }
    return listing.with(outputs, source.auto(inputs).filter(outputs::containsKey).orElse(auto));
  }

  /** A signal, picture or volume like the input, with more than one position. */
  private static boolean isSpatial(Tensor tensor, Tensor input) {
    long positions = 1;
    for (int d = 2; d < tensor.rank(); d++) {
      positions *= tensor.size(d);
    }
    return tensor.rank() >= 3 && tensor.rank() == input.rank() && positions > 1;
  }

  private static String shapes(List<Tensor> inputs) {
    return String.join(", ", inputs.stream().map(t -> Arrays.toString(t.shape())).toList());
  }

  @Override
  public void close() {
    biases.close();
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
