package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import io.camhook.capture.ClassNames;
import io.camhook.engine.ModelSession;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.onnx.naming.OnnxModule;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * An {@code .onnx} file with stock onnxruntime, for a caller that runs it on request: the command
 * or a user's program. Reading it needs the native library from onnxruntime's jar.
 */
public final class OnnxFile {
  private final OrtModel model;
  private final OnnxModules modules;

  private OnnxFile(OrtModel model) throws OnnxException {
    this.model = model;
    modules = OnnxModules.of(model.model(), model.types());
  }

  /**
   * Opens a file.
   *
   * @throws OnnxException if it is not an ONNX model, or cannot be loaded, with the reason
   */
  public static OnnxFile open(Path file) throws IOException {
    OnnxModel read = OnnxModel.read(file);
    Path directory = file.toAbsolutePath().getParent();
    OrtEnvironment environment =
        OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "camhook");
    return new OnnxFile(OrtModel.of(environment, read, directory, 0));
  }

  /**
   * The names of the classes that a file brings along; empty if it brings none.
   *
   * @throws IOException if the file is not an ONNX model
   */
  public static List<String> classNames(Path file) throws IOException {
    return ClassNames.of(OnnxModel.read(file).metadata(), file.toAbsolutePath().getParent());
  }

  /** Its modules, nodes and values by name. */
  public OnnxModules modules() {
    return modules;
  }

  /**
   * The output that scores are taken from.
   *
   * @param wanted its position or name; null: the first that holds real numbers
   * @throws IllegalArgumentException if the model has no such output, or it holds other values
   */
  public String score(@Nullable String wanted) throws OnnxException {
    List<String> real = modules.realOutputs();
    if (wanted != null) {
      List<String> all = model.model().graph().outputs().stream().map(ValueInfo::name).toList();
      return named(wanted, all, real);
    }
    if (real.isEmpty()) {
      throw new OnnxException("no output of the model holds real numbers, so it has no score");
    }
    return real.get(0);
  }

  /** The output that a user means by position or name, checked for its numbers. */
  static String named(String wanted, List<String> outputs, List<String> real) {
    boolean number = wanted.matches("\\d{1,6}") && Integer.parseInt(wanted) < outputs.size();
    String name =
        number && !outputs.contains(wanted) ? outputs.get(Integer.parseInt(wanted)) : wanted;
    if (!outputs.contains(name)) {
      throw new IllegalArgumentException(
          "--output %s: the model has no such output; it returns %s"
              .formatted(wanted, String.join(", ", outputs)));
    }
    if (!real.contains(name)) {
      throw new IllegalArgumentException(
          "--output %s: that output holds no floating-point numbers, so it cannot be a score; the model returns %s"
              .formatted(wanted, String.join(", ", outputs)));
    }
    return name;
  }

  /** Names of the inputs, in the order in which callers give them. */
  public List<String> inputs() {
    return model.model().graph().realInputs().stream().map(ValueInfo::name).toList();
  }

  /**
   * Shapes that the inputs can have: a first size that varies is 1.
   *
   * @return null if another size varies, too
   */
  public @Nullable List<long[]> inputShapes() {
    List<long[]> shapes = new ArrayList<>();
    for (String input : inputs()) {
      TensorType type = model.types().get(input);
      if (type == null || type.dimensions() == null) {
        return null;
      }
      long[] shape = type.dimensions().stream().mapToLong(Dimension::size).toArray();
      if (shape.length > 0 && shape[0] < 0) {
        shape[0] = 1;
      }
      if (Arrays.stream(shape).anyMatch(size -> size < 0)) {
        return null;
      }
      shapes.add(shape);
    }
    return shapes;
  }

  /**
   * Shapes of all values in one run.
   *
   * @throws OrtRunException if the model cannot be run with these inputs
   */
  public Map<String, long[]> shapes(List<Tensor> inputs) {
    try (Inputs given = Inputs.of(model, inputs)) {
      return model.learn(given.tensors());
    } catch (OnnxException e) {
      throw new OrtRunException(String.valueOf(e.getMessage()), e);
    }
  }

  /** The exact names of the values computed by an operator such as {@code Softmax}. */
  public List<String> valuesOf(String operator) {
    return model.model().graph().nodes().stream()
        .filter(node -> node.is(operator))
        .map(node -> node.output())
        .toList();
  }

  /** The element type of a value, in words; null if it is unknown. */
  public @Nullable String element(String value) {
    TensorType type = model.types().get(value);
    return type == null ? null : type.element().toString();
  }

  /**
   * A session that records layers.
   *
   * @param names module paths, or exact names of nodes and values
   * @throws OnnxException if the graph does not hold one of them, with the reason
   */
  public ModelSession session(Collection<String> names) throws OnnxException {
    Map<LayerOutput, String> layers = new LinkedHashMap<>();
    for (String name : names) {
      OnnxModule module = modules.resolve(name);
      layers.put(
          new LayerOutput(module.path(), module.call(), null),
          Objects.requireNonNull(module.value()));
    }
    return new OnnxSession(model, modules, score(null), layers);
  }

  /**
   * Writes the model with the weights of some modules in random order.
   *
   * @throws OnnxException if weights lie in other files
   */
  public void writeShuffled(Path to, Collection<String> paths, long seed) throws IOException {
    if (!model.model().externalFiles().isEmpty()) {
      throw new OnnxException(
          "the weights lie in other files than the model, so that they cannot be put in random"
              + " order");
    }
    Random random = new Random(seed);
    Map<String, TensorData> changed = new HashMap<>();
    Map<String, List<TensorData>> parameters = modules.parameters();
    for (String path : paths) {
      for (TensorData tensor : parameters.getOrDefault(path, List.of())) {
        boolean statistics = tensor.name().contains(".running_");
        changed.put(tensor.name(), statistics ? tensor : tensor.shuffled(random));
      }
    }
    Graph graph = model.model().graph();
    List<TensorData> constants =
        graph.initializers().stream().map(t -> changed.getOrDefault(t.name(), t)).toList();
    Graph shuffled = graph.with(graph.nodes(), constants, graph.inputs(), graph.outputs());
    Files.write(to, model.model().withGraph(shuffled).toByteArray());
  }

  /**
   * The biases of convolutions and BatchNorms as FullGrad uses them: for four-dimensional values.
   */
  public List<BiasNode> biases() {
    List<BiasNode> found = new ArrayList<>();
    for (Node node : model.model().graph().nodes()) {
      TensorType type = model.types().get(node.output());
      boolean image = type != null && type.dimensions() != null && type.dimensions().size() == 4;
      boolean convolution = (node.is("Conv") || node.is("ConvTranspose")) && node.input(2) != null;
      if (image && (convolution || node.is("BatchNormalization"))) {
        found.add(new BiasNode(node.output(), convolution, node.real("epsilon", 1e-5)));
      }
    }
    return found;
  }

  /**
   * A node with a bias.
   *
   * @param value the value that it computes
   * @param convolution whether it is a convolution; otherwise it is a BatchNorm
   * @param epsilon epsilon of the BatchNorm
   */
  public record BiasNode(String value, boolean convolution, double epsilon) {}

  /** Tensors of onnxruntime for one run. */
  static final class Inputs implements AutoCloseable {
    private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

    static Inputs of(OrtModel model, List<Tensor> values) {
      List<String> names =
          model.model().graph().realInputs().stream().map(ValueInfo::name).toList();
      if (names.size() != values.size()) {
        throw new OrtRunException(
            "the model takes %d input%s (%s), found %d"
                .formatted(
                    names.size(),
                    names.size() == 1 ? "" : "s",
                    String.join(", ", names),
                    values.size()));
      }
      for (int i = 0; i < names.size(); i++) {
        requireShape(model, names.get(i), values.get(i).shape());
      }
      Inputs inputs = new Inputs();
      try {
        for (int i = 0; i < names.size(); i++) {
          inputs.put(model, names.get(i), values.get(i));
        }
        return inputs;
      } catch (RuntimeException e) {
        inputs.close();
        throw e;
      }
    }

    private static void requireShape(OrtModel model, String name, long[] shape) {
      TensorType type = model.types().get(name);
      List<Dimension> declared = type == null ? null : type.dimensions();
      if (declared == null) {
        return;
      }
      boolean fits = declared.size() == shape.length;
      for (int d = 0; fits && d < shape.length; d++) {
        fits = declared.get(d).size() < 0 || declared.get(d).size() == shape[d];
      }
      if (!fits) {
        throw new OrtRunException(
            "input '%s' has the shape %s in the model's file, found %s"
                .formatted(name, declared, Arrays.toString(shape)));
      }
    }

    void put(OrtModel model, String name, Tensor values) {
      try {
        OnnxTensor before =
            tensors.put(name, OrtTensors.tensor(model.environment(), values, model.element(name)));
        if (before != null) {
          before.close();
        }
      } catch (OrtException e) {
        throw new OrtRunException("input " + name + ": " + OrtModel.oneLine(e), e);
      }
    }

    Map<String, OnnxTensor> tensors() {
      return tensors;
    }

    @Override
    public void close() {
      tensors.values().forEach(OnnxTensor::close);
    }
  }
}
