package io.camhook.explain;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.nn.Block;
import ai.onnxruntime.OrtEnvironment;
import io.camhook.cam.Layout;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.engine.ModelSession;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.flow.AutoLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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
 * application's own model of Java blocks and does not change it. Not thread-safe.
 */
public final class Explainer implements AutoCloseable {
  /** As a layer: the module that turns token ids into vectors. */
  public static final String EMBEDDING = "embedding";

  private final ModelSource source;
  private final ModelListing listing;
  private final List<String> wanted;
  private final boolean layersAreNamed;
  private final MethodSessions sides;
  private final BatchLimit limit = new BatchLimit();
  private final Map<LayerOutput, Integer> owners = new HashMap<>();
  private final Set<String> notices = new LinkedHashSet<>();
  private @Nullable ModelSession session;
  private @Nullable ClassifierWeights classifier;
  private @Nullable DType fedType;
  private List<String> layers;
  private Layouts layouts;
  private @Nullable String output;
  private @Nullable Integer classAxis;
  private @Nullable Integer explainedInput;
  private Boxes.@Nullable Format boxes;
  private int labels;

  private Explainer(ModelSource source, List<String> layers) {
    this.source = source;
    this.listing = source.listing();
    this.sides = new MethodSessions(source, layers);
    this.wanted = layers.stream().map(this::withEmbedding).toList();
    this.layouts = new Layouts(null, listing.modules());
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
   *     which is found with the first input
   * @throws ExplainException if there is no such file or layer, or PyTorch's natives are missing
   * @throws IOException if the file is not a TorchScript archive, with the reason
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
   * Explains one of the application's models of Java blocks, in a JVM with the agent. The model is
   * not changed, and other threads may use it at the same time. Guided methods apply to its {@code
   * ReLU} blocks.
   *
   * @param layers as for {@link #load}; paths are those of the block tree, such as {@code 03Conv2d}
   * @throws IllegalStateException without the agent; the message names the missing flag
   * @throws ExplainException if there is no such layer
   */
  public static Explainer of(Model model, List<String> layers) {
    return new Explainer(BlockSource.of(model), layers);
  }

  /** The same for a block without a model. */
  public static Explainer of(Block model, List<String> layers) {
    return new Explainer(BlockSource.of(model), layers);
  }

  private String withEmbedding(String layer) {
    boolean named =
        listing.modules().stream()
            .anyMatch(module -> module.path().equals(layer) || module.aliases().contains(layer));
    if (!layer.equals(EMBEDDING) || named) {
      return layer;
    }
    return sides
        .embedding()
        .path()
        .orElseThrow(
            () ->
                new ExplainException(
                    "%s: no layer 'embedding': no module of type Embedding is called, which would turn token ids into vectors; name a layer that does (-l), 'camhook layers %s' lists them; occlusion needs none (-m occlusion --pad-id N)"
                        .formatted(listing.model(), listing.model())));
  }

  /** Sets the layout of the layers' outputs; null detects it. */
  public Explainer withLayout(@Nullable Layout wanted) {
    layouts = new Layouts(wanted, listing.modules());
    return this;
  }

  /**
   * Sets the output that holds the scores, by its position or by its key in a dict; null takes the
   * first suitable one.
   */
  public Explainer withOutput(@Nullable String wanted) {
    output = wanted;
    return this;
  }

  /** Sets the class axis of that output, from 1; null detects it. */
  public Explainer withClassAxis(@Nullable Integer axis) {
    classAxis = axis;
    return this;
  }

  /** Sets the input to explain, from 0; null explains every picture. */
  public Explainer withInput(@Nullable Integer index) {
    explainedInput = index;
    return this;
  }

  /** Sets the format of a detector's boxes; null if the output has no boxes. */
  public Explainer withBoxes(Boxes.@Nullable Format format) {
    boxes = format;
    return this;
  }

  /** Sets the number of named classes, which helps to detect the class axis. */
  public Explainer withLabels(int count) {
    labels = count;
    return this;
  }

  /**
   * Number of channels of the pictures that the model expects, from its first convolution; empty if
   * that does not show it.
   */
  public OptionalInt pictureChannels() {
    for (ModuleDescription module : LayerSelection.called(listing)) {
      if (module.type().endsWith("Conv2d")) {
        for (ModuleDescription.Parameter parameter : module.parameters()) {
          if (parameter.name().equals("weight") && parameter.shape().size() == 4) {
            int channels = parameter.shape().get(1).intValue();
            return channels == 1 || channels == 3 || channels == 4
                ? OptionalInt.of(channels)
                : OptionalInt.empty();
          }
        }
      }
    }
    return OptionalInt.empty();
  }

  /**
   * Height and width of the pictures that the model takes, if its file fixes them for its first
   * input {@code [N,C,H,W]}.
   */
  public Optional<int[]> pictureSize() {
    List<long[]> shapes = listing.inputShapes();
    if (shapes.isEmpty() || shapes.get(0).length != 4 || shapes.get(0)[1] > 4) {
      return Optional.empty();
    }
    long[] shape = shapes.get(0);
    return Optional.of(new int[] {Math.toIntExact(shape[2]), Math.toIntExact(shape[3])});
  }

  /** The model's modules. */
  public ModelListing listing() {
    return listing;
  }

  /** What runs the model, with its version. */
  public String engine() {
    return source instanceof OnnxSource
        ? "onnxruntime " + OrtEnvironment.getEnvironment().getVersion()
        : "PyTorch " + Engine.getInstance().getVersion();
  }

  /** The recorded layers; those of {@code auto} are known after the first run. */
  public List<String> layers() {
    return layers;
  }

  /** What was requested but is not available, and why; complete after a run. */
  public List<String> notices() {
    Set<String> all = new LinkedHashSet<>(notices);
    if (limit.isOne()) {
      all.add(BatchLimit.NOTICE);
    }
    if (session != null) {
      all.addAll(session.notices());
    }
    return List.copyOf(all);
  }

  /**
   * Runs the model for one input.
   *
   * @param target the scores to explain
   * @throws io.camhook.cam.CamException if the output has no such class
   */
  public Explained run(ModelInput input, TargetChoice target) throws IOException {
    return run(input, TargetSelection.of(target));
  }

  /** Records only A, without autograd; the model runs only up to the last layer. */
  public Explained record(ModelInput input) throws IOException {
    return run(input, (TargetSelection) null);
  }

  /** Like {@link #run}, for other targets than classes, such as your own; null only records. */
  public Explained run(ModelInput input, @Nullable TargetSelection target) throws IOException {
    ModelArguments.Fed arguments = ModelArguments.of(input, listing.arguments());
    ModelInput fed = input.ordered(arguments.tensors(), arguments.names());
    if (explainedInput != null && (explainedInput < 0 || explainedInput >= fed.tensors().size())) {
      throw new ExplainException(
          "--input %d: there %s; expected a number from 0 on"
              .formatted(
                  explainedInput,
                  fed.tensors().size() == 1
                      ? "is one input"
                      : "are %d inputs".formatted(fed.tensors().size())));
    }
    sides.use(new ModelSession.Use(output, fed.names()));
    if (fedType != null) {
      return run(input, retyped(fed, fedType), target);
    }
    try {
      return run(input, fed, target);
    } catch (Unfit e) {
      DType own = floatingType();
      if (own == null || !isOfAnother(fed, own)) {
        throw e;
      }
      try {
        Explained explained = run(input, retyped(fed, own), target); // a half-precision model
        fedType = own;
        return explained;
      } catch (Unfit again) {
        throw e;
      }
    }
  }

  /** The model itself shows that no layer is what {@code auto} means. */
  static final class NoAutoLayer extends ExplainException {
    private static final long serialVersionUID = 1L;

    NoAutoLayer(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The message for inputs that the model does not accept. */
  private static final class Unfit extends ExplainException {
    private static final long serialVersionUID = 1L;

    Unfit(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private Explained run(ModelInput input, ModelInput fed, @Nullable TargetSelection target)
      throws IOException {
    ModelSession open = session(fed);
    open.use(new ModelSession.Use(output, fed.names()));
    List<ScoreTarget> targets = new ArrayList<>();
    List<ClassAxis> axes = new ArrayList<>();
    AtomicBoolean forwardIsOver = new AtomicBoolean();
    ModelSession.OutputGradients gradients =
        target == null
            ? null
            : scores -> {
              forwardIsOver.set(true);
              ClassAxis axis = ClassAxis.of(scores, classAxis, fed.tensors(), labels, target);
              axes.add(axis);
              targets.addAll(axis.asReturned(target.of(axis.front(scores)), scores));
              return targets.stream()
                  .map(each -> ExplainedModel.seed(scores, List.of(each)))
                  .toList();
            };
    ModelSession.Pass pass;
    try {
      pass = open.run(fed.tensors(), gradients, target == null);
    } catch (EngineException | OrtRunException e) {
      String why = EngineMessages.shortened(e);
      if (forwardIsOver.get()) {
        throw new ExplainException(
            "the engine cannot differentiate this model: %s; -t none records without gradients"
                .formatted(why),
            e);
      }
      throw new Unfit(
          "the model cannot be run with inputs of shape %s: %s"
              .formatted(shapes(fed.tensors()), why),
          e);
    } catch (IllegalArgumentException e) {
      if (forwardIsOver.get()) {
        throw e; // the target's
      }
      throw new ExplainException(String.valueOf(e.getMessage()), e);
    }
    note(axes.isEmpty() ? null : axes.get(0).notice());
    note(severalOutputs(pass, open.outputNames()));
    return new Explained(
        input,
        fed.tensors(),
        pass,
        targets,
        new Explained.Explanations(
            open,
            sides,
            Objects.requireNonNull(classifier),
            layersAreNamed,
            axes.isEmpty() ? new ClassAxis(1, null) : axes.get(0),
            layouts,
            explainedInput,
            limit,
            owners,
            this::call,
            open.outputNames().isEmpty() ? "0" : open.outputNames().get(0),
            boxes));
  }

  /**
   * The call that a layer's output is of. The number in an operator's name, {@code relu#8}, is no
   * call, unless the name that was asked for means several operators: a module that was inlined
   * where it was called.
   */
  private int call(LayerOutput output) {
    String name = new LayerOutput(output.path(), output.call(), null).toString();
    Stream<ModuleDescription> values =
        listing.operatorsOnly() != null
            ? listing.modules().stream()
            : listing.operators().inside().stream();
    if (values.noneMatch(value -> value.path().equals(name))) {
      return output.call();
    }
    for (String layer : wanted) {
      List<String> meant =
          listing.modules().stream()
              .filter(value -> value.aliases().contains(layer))
              .map(ModuleDescription::path)
              .toList();
      if (meant.contains(name)) {
        return meant.indexOf(name);
      }
    }
    return 0;
  }

  private void note(@Nullable String notice) {
    if (notice != null) {
      notices.add(notice);
    }
  }

  /** The outputs that could hold the scores, if none was set. */
  private @Nullable String severalOutputs(ModelSession.Pass pass, List<String> names) {
    if (output != null) {
      return null;
    }
    List<String> possible = new ArrayList<>();
    for (int i = 0; i < Math.min(names.size(), pass.outputs().size()); i++) {
      Tensor each = pass.outputs().get(i);
      if (InputForm.isFloating(each) && each.rank() > 0 && each.elements() > 1) {
        possible.add("%s %s".formatted(names.get(i), Arrays.toString(each.shape())));
      }
    }
    return possible.size() < 2
        ? null
        : "the model returns several outputs that could hold scores: %s; the first of them is explained; choose another with --output"
            .formatted(String.join(", ", possible));
  }

  /** The type of the model's parameters; null if it has none. */
  private @Nullable DType floatingType() {
    for (ModuleDescription module : listing.modules()) {
      for (ModuleDescription.Parameter parameter : module.parameters()) {
        switch (parameter.dtype()) {
          case "F16", "BF16", "F32", "F64" -> {
            return DType.valueOf(parameter.dtype());
          }
          default -> {}
        }
      }
    }
    return null;
  }

  private static boolean isOfAnother(ModelInput input, DType type) {
    return input.tensors().stream()
        .anyMatch(tensor -> InputForm.isFloating(tensor) && tensor.dtype() != type);
  }

  private static ModelInput retyped(ModelInput input, DType type) {
    return input.ordered(
        input.tensors().stream()
            .map(tensor -> InputForm.isFloating(tensor) ? tensor.to(type) : tensor)
            .toList(),
        input.names());
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
    AutoLayer known = source.auto(output, input.tensors()).orElse(null);
    String auto =
        known != null ? known.path() : observe(source, input.tensors(), input.names()).auto();
    if (auto == null) {
      throw new ExplainException(
          "%s: 'auto' finds no module that returns more than one position, such as [N,C,H,W] with H·W > 1; name a layer, 'camhook layers %s' lists them"
              .formatted(listing.model(), listing.model()));
    }
    note(known == null ? null : known.notice());
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
        OnnxSource.isOnnx(file) ? OnnxSource.open(file) : ArchiveSource.of(listing),
        inputs,
        List.of());
  }

  private static ModelListing observe(
      ModelSource source, List<Tensor> inputs, List<String> inputNames) throws IOException {
    ModelListing listing = source.listing();
    List<String> paths =
        LayerSelection.called(listing).stream().map(ModuleDescription::path).toList();
    Set<String> known = new HashSet<>(paths);
    Map<String, List<ModelListing.Output>> outputs = new LinkedHashMap<>();
    String auto = null;
    boolean decided = true;
    try {
      auto = source.auto(null, inputs).map(AutoLayer::path).orElse(null);
      decided = auto != null;
    } catch (NoAutoLayer e) {
      // the listing is then without a mark
    }
    try (ModelSession session = source.open(paths)) {
      session.use(new ModelSession.Use(null, inputNames));
      Map<LayerOutput, Tensor> seen = session.run(inputs, null, false).activations();
      for (Map.Entry<LayerOutput, Tensor> entry : seen.entrySet()) {
        LayerOutput layer = entry.getKey();
        Tensor tensor = entry.getValue();
        String call = new LayerOutput(layer.path(), layer.call(), null).toString();
        String path = known.contains(call) ? call : layer.path(); // an operator's type is its name
        outputs
            .computeIfAbsent(path, p -> new ArrayList<>())
            .add(
                new ModelListing.Output(
                    layer.toString(),
                    tensor.dtype().name(),
                    Arrays.stream(tensor.shape()).boxed().toList()));
        boolean module = !layer.path().equals(".") && !LayerPattern.of(path).isInside();
        if (!decided && module && isSpatial(tensor, inputs.get(0))) {
          auto = path;
        }
      }
    } catch (EngineException | OrtRunException e) {
      throw new Unfit(
          "%s: the model cannot be run with inputs of shape %s: %s"
              .formatted(listing.model(), shapes(inputs), EngineMessages.shortened(e)),
          e);
    }
    return listing.with(outputs, auto);
  }

  /** A signal, picture or volume like the input, with more than one position. */
  private static boolean isSpatial(Tensor tensor, Tensor input) {
    long positions = 1;
    for (int d = 2; d < tensor.rank(); d++) {
      positions *= tensor.size(d);
    }
    return tensor.rank() >= 3 && tensor.rank() == input.rank() && positions > 1;
  }

  static String shapes(List<Tensor> inputs) {
    return String.join(", ", inputs.stream().map(t -> Arrays.toString(t.shape())).toList());
  }

  @Override
  public void close() {
    sides.close();
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
