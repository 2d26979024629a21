package io.camhook.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.engine.ModelSession;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An ONNX model for one caller. Each kind of run has its own onnxruntime session, which is opened
 * on first use: the plain model, the layers only, the backward pass, the part after a layer.
 */
final class OnnxSession implements ModelSession {
  private static final String VECTOR = "camhook_vector";
  private static final String MEANS = "camhook means of ";

  private final OrtModel model;
  private final OnnxModules modules;
  private final String usual;
  private final Map<LayerOutput, String> layers;
  private final List<String> outputs;
  private final Map<String, Opened> sessions = new HashMap<>();
  private final Set<String> notices = new LinkedHashSet<>();
  private List<String> outputNames = List.of();
  private String score;
  private boolean learnt;

  OnnxSession(OrtModel model, OnnxModules modules, String score, Map<LayerOutput, String> layers) {
    this.model = model;
    this.modules = modules;
    this.usual = score;
    this.score = score;
    this.layers = layers;
    outputs = model.model().graph().outputs().stream().map(ValueInfo::name).toList();
  }

  /** A session, and the gradient model that it runs, if it is one. */
  private record Opened(OrtSession session, @Nullable GradientModel gradient) {}

  /** Builds a part of the model. */
  @FunctionalInterface
  private interface SubgraphBuilder {
    OnnxModel make() throws OnnxException;
  }

  /** Builds a backward pass. */
  @FunctionalInterface
  private interface GradientBuilder {
    GradientModel make() throws OnnxException;
  }

  @Override
  public void use(Use wanted) {
    String output = wanted.output();
    String chosen = output == null ? usual : OnnxFile.named(output, outputs, modules.realOutputs());
    if (!chosen.equals(score)) {
      close(); // made for another score
      score = chosen;
    }
  }

  @Override
  public List<String> outputNames() {
    return outputNames;
  }

  /** The model's outputs, the scores first. */
  private List<Tensor> ordered(Map<String, Tensor> found) {
    List<Tensor> results = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (boolean first : new boolean[] {true, false}) {
      for (String output : outputs) {
        Tensor value = found.get(output);
        if (value != null && output.equals(score) == first) {
          results.add(value);
          names.add(output);
        }
      }
    }
    outputNames = List.copyOf(names);
    return results;
  }

  private Opened opened(String key, SubgraphBuilder part) {
    Opened opened = sessions.get(key);
    if (opened == null) {
      try {
        opened = new Opened(model.session(part.make()), null);
      } catch (OnnxException e) {
        throw new OrtRunException(String.valueOf(e.getMessage()), e);
      }
      sessions.put(key, opened);
    }
    return opened;
  }

  private Opened openedBackward(String key, List<Tensor> inputs, GradientBuilder backward) {
    Opened opened = sessions.get(key);
    if (opened == null) {
      try {
        learn(inputs);
        GradientModel gradient = backward.make();
        opened = new Opened(model.session(gradient.model()), gradient);
      } catch (OnnxException e) {
        throw new OrtRunException(String.valueOf(e.getMessage()), e);
      }
      sessions.put(key, opened);
    }
    return opened;
  }

  /** Numbers of dimensions that onnxruntime does not infer show in a run. */
  private void learn(List<Tensor> inputs) throws OnnxException {
    boolean unknown =
        model.types().values().stream()
            .anyMatch(type -> type.dimensions() == null && type.element().isReal());
    if (!learnt && unknown) {
      try (OnnxFile.Inputs given = OnnxFile.Inputs.of(model, sample(inputs, 0, fixedBatch()))) {
        model.learn(given.tensors());
      }
    }
    learnt = true;
  }

  @Override
  public Pass run(List<Tensor> inputs, @Nullable OutputGradients targets, boolean onlyLayers) {
    if (targets == null) {
      return recorded(inputs, onlyLayers);
    }
    List<Tensor> results = outputs(inputs);
    Tensor scores = results.get(0);
    Opened opened =
        openedBackward(
            "gradients", inputs, () -> model.gradient(new LinkedHashSet<>(layers.values()), score));
    GradientModel gradient = java.util.Objects.requireNonNull(opened.gradient());
    gradient.refusals().values().forEach(notices::add);
    Map<LayerOutput, Tensor> activations = new LinkedHashMap<>();
    List<Map<LayerOutput, Tensor>> gradients = new ArrayList<>();
    for (Tensor seed : targets.at(scores)) {
      Map<String, Tensor> found = run(opened, inputs, Map.of(GradientModel.SEED, seed));
      Map<LayerOutput, Tensor> one = new LinkedHashMap<>();
      layers.forEach(
          (layer, value) -> {
            put(activations, layer, found.get(value));
            gradient.gradientOf(value).ifPresent(name -> put(one, layer, found.get(name)));
          });
      gradients.add(one);
    }
    if (gradients.isEmpty()) {
      activations.putAll(recorded(inputs, true).activations());
    }
    return new Pass(results, activations, gradients);
  }

  private static void put(
      Map<LayerOutput, Tensor> tensors, LayerOutput layer, @Nullable Tensor value) {
    if (value != null) {
      tensors.putIfAbsent(layer, value);
    }
  }

  private Pass recorded(List<Tensor> inputs, boolean onlyLayers) {
    Set<String> wanted = new LinkedHashSet<>(layers.values());
    if (!onlyLayers) {
      wanted.addAll(outputs);
    }
    Opened opened = opened(onlyLayers ? "layers" : "layers and outputs", () -> model.upTo(wanted));
    Map<String, Tensor> found = run(opened, inputs, Map.of());
    Map<LayerOutput, Tensor> activations = new LinkedHashMap<>();
    layers.forEach((layer, value) -> put(activations, layer, found.get(value)));
    return new Pass(onlyLayers ? List.of() : ordered(found), activations, List.of());
  }

  @Override
  public List<Tensor> outputs(List<Tensor> inputs) {
    return ordered(run(opened("plain", () -> model.upTo(outputs)), inputs, Map.of()));
  }

  @Override
  public List<Tensor> outputsFrom(String path, Tensor activation, List<Tensor> inputs) {
    String value = value(path);
    Opened opened = opened("after " + value, () -> model.between(List.of(value), List.of(score)));
    List<Tensor> repeated =
        inputs.stream().map(input -> repeated(input, activation.size(0))).toList();
    return List.copyOf(run(opened, repeated, Map.of(value, activation)).values());
  }

  @Override
  public Tensor gradientFrom(
      String path, Tensor activation, List<Tensor> inputs, OutputGradients target) {
    String value = value(path);
    Tensor seed = target.at(outputsFrom(path, activation, inputs).get(0)).get(0);
    Opened opened =
        openedBackward(
            "from " + value,
            inputs,
            () ->
                GradientModel.of(model.between(List.of(value), List.of(score)), model.types())
                    .taps(List.of(value))
                    .score(score)
                    .build());
    GradientModel gradient = java.util.Objects.requireNonNull(opened.gradient());
    Optional<String> name = gradient.gradientOf(value);
    if (name.isEmpty()) {
      throw new OrtRunException(gradient.refusals().getOrDefault(value, "no gradient"));
    }
    List<Tensor> repeated =
        inputs.stream().map(input -> repeated(input, activation.size(0))).toList();
    Map<String, Tensor> given = Map.of(value, activation, GradientModel.SEED, seed);
    return java.util.Objects.requireNonNull(run(opened, repeated, given).get(name.get()));
  }

  private String value(String path) {
    LayerOutput layer = LayerOutput.parse(path);
    String value = layers.get(layer);
    if (value == null) {
      throw new IllegalArgumentException("layer '%s' is not recorded".formatted(path));
    }
    return value;
  }

  @Override
  public Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    return inputGradient("input", inputs, index, target, false);
  }

  @Override
  public Tensor guidedInputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    if (model.model().graph().nodes().stream().noneMatch(node -> node.is("Relu"))) {
      throw new IllegalArgumentException(
          "guided backpropagation changes ReLUs, and this graph has no Relu");
    }
    return inputGradient("guided", inputs, index, target, true);
  }

  private Tensor inputGradient(
      String kind, List<Tensor> inputs, int index, OutputGradients target, boolean guided) {
    String input = model.model().graph().realInputs().get(index).name();
    if (!model.element(input).isReal()) {
      throw new OrtRunException(
          "input '%s' holds %s, which has no gradient; take one at an embedding"
              .formatted(input, model.element(input)));
    }
    Tensor seed = seed(inputs, target);
    Opened opened =
        openedBackward(
            kind + " " + index,
            inputs,
            () -> {
              GradientModel.Builder builder =
                  GradientModel.of(model.model(), model.types()).taps(List.of(input)).score(score);
              return (guided ? builder.guided() : builder).build();
            });
    GradientModel gradient = java.util.Objects.requireNonNull(opened.gradient());
    Optional<String> name = gradient.gradientOf(input);
    if (name.isEmpty()) {
      throw new OrtRunException(gradient.refusals().getOrDefault(input, "no gradient"));
    }
    Tensor found = run(opened, inputs, Map.of(GradientModel.SEED, seed)).get(name.get());
    return java.util.Objects.requireNonNull(found);
  }

  private Tensor seed(List<Tensor> inputs, OutputGradients target) {
    return target.at(outputs(inputs).get(0)).get(0);
  }

  /** The gradient of ⟨g, vector⟩ with respect to A, by differentiating the backward pass again. */
  @Override
  public Tensor hessianProduct(
      List<Tensor> inputs, OutputGradients target, String path, Tensor vector) {
    String value = value(path);
    Tensor seed = seed(inputs, target);
    Opened opened =
        openedBackward(
            "curvature " + value, inputs, () -> SecondOrder.of(model, value, score, VECTOR));
    GradientModel gradient = java.util.Objects.requireNonNull(opened.gradient());
    Optional<String> name = gradient.gradientOf(value);
    if (name.isEmpty()) {
      // Where the score is linear from the layer on, its gradient does not depend on A.
      if (gradient.isConstantIn(value)) {
        return Tensor.ofFloats(new float[Math.toIntExact(vector.elements())], vector.shape());
      }
      throw new OrtRunException(gradient.refusals().getOrDefault(value, "no gradient"));
    }
    Map<String, Tensor> more = new LinkedHashMap<>();
    more.put(SecondOrder.FIRST_SEED, seed);
    more.put(VECTOR, vector);
    more.put(GradientModel.SEED, Tensor.ofFloats(new float[] {1}));
    return java.util.Objects.requireNonNull(run(opened, inputs, more).get(name.get()));
  }

  @Override
  public Optional<String> weightOfMeans(String path) {
    try {
      return head(path).isPresent() ? Optional.of(MEANS + path + ".weight") : Optional.empty();
    } catch (OnnxException e) {
      return Optional.empty(); // the model is run instead
    }
  }

  /** The linear layer, if nothing else follows the means of a layer's channels. */
  private Optional<GemmHead> head(String path) throws OnnxException {
    String value = layers.get(LayerOutput.parse(path));
    return value == null
        ? Optional.empty()
        : GemmHead.of(model.model().graph(), score, value)
            .filter(head -> head.overPositions() && head.bias() != null);
  }

  private Optional<Tensor> ofHead(String name) throws OnnxException {
    int dot = name.lastIndexOf('.');
    GemmHead head = head(name.substring(MEANS.length(), dot)).orElse(null);
    float[] bias = head == null ? null : head.bias();
    if (head == null || bias == null) {
      return Optional.empty();
    }
    return Optional.of(
        name.endsWith(".bias")
            ? Tensor.ofFloats(bias, bias.length)
            : Tensor.ofFloats(head.weight(), bias.length, head.channels()));
  }

  /** A constant of the graph. {@code PATH.weight} of a linear layer is its matrix [out, in]. */
  @Override
  public Optional<Tensor> parameter(String name) throws IOException {
    if (name.startsWith(MEANS)) {
      return ofHead(name);
    }
    int dot = name.lastIndexOf('.');
    if (dot > 0) {
      Optional<Tensor> found = ofNode(name.substring(0, dot), name.substring(dot + 1));
      if (found.isPresent()) {
        return found;
      }
    }
    for (TensorData tensor : model.model().graph().initializers()) {
      if (tensor.name().equals(name) && !tensor.isExternal()) {
        return Optional.of(copied(tensor));
      }
    }
    return Optional.empty();
  }

  private Optional<Tensor> ofNode(String path, String attribute) throws OnnxException {
    Node node;
    try {
      node = maker(String.valueOf(modules.resolve(path).value()));
    } catch (OnnxException e) {
      return Optional.empty();
    }
    if (node != null && node.is("Add")) {
      // A linear layer over tokens: the product, then the bias.
      for (String input : node.inputs()) {
        Node product = maker(input);
        node = product != null && product.is("MatMul") ? product : node;
      }
    }
    if (node == null) {
      return Optional.empty();
    }
    int input =
        switch (attribute) {
          case "weight" -> 1;
          case "bias" -> 2;
          case "running_mean" -> 3;
          case "running_var" -> 4;
          default -> -1;
        };
    for (TensorData tensor : model.model().graph().initializers()) {
      if (input > 0 && tensor.name().equals(node.input(input)) && !tensor.isExternal()) {
        Tensor found = copied(tensor);
        boolean columns =
            input == 1 && (node.is("MatMul") || (node.is("Gemm") && node.number("transB", 0) == 0));
        return Optional.of(columns && found.rank() == 2 ? transposed(found) : found);
      }
    }
    return Optional.empty();
  }

  private @Nullable Node maker(String value) {
    for (Node node : model.model().graph().nodes()) {
      if (node.outputs().contains(value)) {
        return node;
      }
    }
    return null;
  }

  private static Tensor copied(TensorData tensor) throws OnnxException {
    double[] values = tensor.reals();
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return Tensor.ofFloats(floats, tensor.dimensions());
  }

  private static Tensor transposed(Tensor matrix) {
    int rows = Math.toIntExact(matrix.size(0));
    int columns = Math.toIntExact(matrix.size(1));
    float[] from = matrix.toFloats();
    float[] to = new float[from.length];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < columns; k++) {
        to[k * rows + i] = from[i * columns + k];
      }
    }
    return Tensor.ofFloats(to, columns, rows);
  }

  @Override
  public List<String> notices() {
    return List.copyOf(notices);
  }

  @Override
  public void close() {
    for (Opened opened : sessions.values()) {
      try {
        opened.session().close();
      } catch (OrtException e) {
        // there is nothing left to free
      }
    }
    sessions.clear();
  }

  // ---- runs

  /** The batch that the model was exported with; 0 where it varies. */
  private long fixedBatch() {
    ValueInfo first = model.model().graph().realInputs().get(0);
    TensorType type = model.types().get(first.name());
    return type == null || type.dimensions() == null || type.dimensions().isEmpty()
        ? 0
        : Math.max(0, type.dimensions().get(0).size());
  }

  /** Runs the model, several times if its batch size is fixed and smaller than the inputs'. */
  private Map<String, Tensor> run(Opened opened, List<Tensor> inputs, Map<String, Tensor> more) {
    long fixed = fixedBatch();
    long given = inputs.get(0).rank() == 0 ? 0 : inputs.get(0).size(0);
    if (fixed == 0 || given <= fixed || given % fixed != 0) {
      return single(opened, inputs, more);
    }
    Map<String, List<Tensor>> parts = new LinkedHashMap<>();
    for (long at = 0; at < given; at += fixed) {
      Map<String, Tensor> cut = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> entry : more.entrySet()) {
        cut.put(entry.getKey(), rows(entry.getValue(), at, fixed, given));
      }
      List<Tensor> some = new ArrayList<>();
      for (Tensor input : inputs) {
        some.add(rows(input, at, fixed, given));
      }
      single(opened, some, cut)
          .forEach((name, value) -> parts.computeIfAbsent(name, k -> new ArrayList<>()).add(value));
    }
    Map<String, Tensor> whole = new LinkedHashMap<>();
    parts.forEach((name, values) -> whole.put(name, joined(values)));
    return whole;
  }

  private static List<Tensor> sample(List<Tensor> inputs, long at, long fixed) {
    long given = inputs.get(0).rank() == 0 ? 0 : inputs.get(0).size(0);
    return fixed == 0 || given <= fixed
        ? inputs
        : inputs.stream().map(input -> rows(input, at, fixed, given)).toList();
  }

  private static Tensor rows(Tensor all, long from, long count, long given) {
    if (all.rank() == 0 || all.size(0) != given) {
      return all;
    }
    long[] shape = all.shape();
    shape[0] = count;
    int bytes = Math.toIntExact(all.byteSize() / given);
    return new Tensor(
        all.dtype(),
        shape,
        all.data()
            .slice(Math.toIntExact(from * bytes), Math.toIntExact(count * bytes))
            .order(java.nio.ByteOrder.LITTLE_ENDIAN));
  }

  private static Tensor joined(List<Tensor> parts) {
    Tensor first = parts.get(0);
    if (parts.size() == 1 || first.rank() == 0) {
      return first;
    }
    long[] shape = first.shape();
    long bytes = 0;
    shape[0] = 0;
    for (Tensor part : parts) {
      shape[0] += part.size(0);
      bytes += part.byteSize();
    }
    java.nio.ByteBuffer all = java.nio.ByteBuffer.allocate(Math.toIntExact(bytes));
    parts.forEach(part -> all.put(part.data()));
    return new Tensor(first.dtype(), shape, all.flip());
  }

  private Map<String, Tensor> single(Opened opened, List<Tensor> inputs, Map<String, Tensor> more) {
    try (OnnxFile.Inputs given = OnnxFile.Inputs.of(model, inputs)) {
      more.forEach((name, value) -> given.put(model, name, value));
      OrtSession session = opened.session();
      try (OrtSession.Result result =
          session.run(OrtModel.only(given.tensors(), session.getInputNames()))) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        result.forEach(
            entry ->
                OrtTensors.copied(entry.getValue())
                    .ifPresent(tensor -> tensors.put(entry.getKey(), tensor)));
        return tensors;
      }
    } catch (OrtException e) {
      throw new OrtRunException(
          "onnxruntime cannot run the model with inputs of shape %s: %s"
              .formatted(
                  String.join(", ", inputs.stream().map(t -> Arrays.toString(t.shape())).toList()),
                  OrtModel.oneLine(e)),
          e);
    }
  }

  private static Tensor repeated(Tensor one, long n) {
    if (one.rank() == 0 || one.size(0) != 1 || n == 1) {
      return one;
    }
    return joined(java.util.Collections.nCopies(Math.toIntExact(n), one));
  }
}
