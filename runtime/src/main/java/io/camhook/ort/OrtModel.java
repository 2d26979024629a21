package io.camhook.ort;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.gradient.OpsetUpgrade;
import io.camhook.onnx.gradient.Subgraph;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model with the value types that onnxruntime infers, and sessions for parts of it and for its
 * backward pass. Every session is camhook's own, on the CPU, with its own number of threads; the
 * application's sessions are not involved. Thread-safe once made.
 *
 * <pre>{@code
 * OrtModel model = OrtModel.of(environment, OnnxModel.parse(bytes), directory, 1);
 * GradientModel gradient = model.gradient(taps, "logits");
 * try (OrtSession side = model.session(gradient.model())) {
 *   // side.getInputNames(): the model's inputs as far as needed, and camhook_seed
 *   OrtSession.Result result = side.run(inputs);
 *   result.get(tap);                                // A
 *   result.get(gradient.gradientOf(tap).get());     // g
 * }
 * }</pre>
 *
 * Creating one opens a session over all values and closes it again without running it. This holds
 * the model's weights in memory meanwhile, so it belongs on a background thread.
 */
final class OrtModel {
  private final OrtEnvironment environment;
  private final OnnxModel model;
  private final @Nullable Path directory;
  private final int threads;
  private final Map<String, TensorType> types;

  private OrtModel(
      OrtEnvironment environment, OnnxModel model, @Nullable Path directory, int threads)
      throws OnnxException {
    this.environment = environment;
    this.directory = directory;
    this.threads = threads;
    this.model = OpsetUpgrade.upgraded(model);
    types = declared();
  }

  /**
   * Learns the types of a model's values.
   *
   * @param environment the process's environment; none is created here
   * @param directory where files with weights lie; null: the model needs none
   * @param threads that a session of this model may use
   * @throws OnnxException if the model cannot be loaded, with the reason
   */
  static OrtModel of(
      OrtEnvironment environment, OnnxModel model, @Nullable Path directory, int threads)
      throws OnnxException {
    for (String file : model.externalFiles()) {
      if (directory == null || !Files.isRegularFile(directory.resolve(file))) {
        throw new OnnxException(
            "the weights lie in "
                + file
                + ", which is not beside the model"
                + (directory == null ? "" : " in " + directory));
      }
    }
    return new OrtModel(environment, model, directory, threads);
  }

  /** The same for a model derived from this one. */
  OrtModel of(OnnxModel made) throws OnnxException {
    return new OrtModel(environment, made, directory, threads);
  }

  /** The model in an operator set that a backward pass can be written in. */
  OnnxModel model() {
    return model;
  }

  /** The types of its values; sizes that vary are -1. */
  Map<String, TensorType> types() {
    return types;
  }

  OrtEnvironment environment() {
    return environment;
  }

  /** The type of one of its values; float if it is unknown. */
  ElementType element(String value) {
    TensorType type = types.get(value);
    return type == null ? ElementType.FLOAT : type.element();
  }

  /** A backward pass from an output to values; its input is the seed. */
  GradientModel gradient(Collection<String> taps, String score) throws OnnxException {
    return GradientModel.of(model, types).taps(taps).score(score).build();
  }

  /** The part of the model that computes values from the model's inputs. */
  OnnxModel upTo(Collection<String> outputs) throws OnnxException {
    return Subgraph.upTo(model, outputs, types);
  }

  /** The part of the model that computes values from others. */
  OnnxModel between(Collection<String> given, Collection<String> outputs) throws OnnxException {
    return Subgraph.between(model, given, outputs, types);
  }

  /** A session with onnxruntime's usual optimisations. */
  OrtSession session(OnnxModel part) throws OnnxException {
    return session(part, OrtSession.SessionOptions.OptLevel.ALL_OPT);
  }

  private OrtSession session(OnnxModel part, OrtSession.SessionOptions.OptLevel level)
      throws OnnxException {
    byte[] bytes = part.toByteArray();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(level);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      // Spinning threads would take processor time from the application.
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      if (directory != null && !part.externalFiles().isEmpty()) {
        options.addConfigEntry(
            "session.model_external_initializers_file_folder_path", directory.toString());
      }
      return environment.createSession(bytes, options);
    } catch (OrtException e) {
      throw new OnnxException("onnxruntime rejects the model: " + oneLine(e), e);
    }
  }

  static String oneLine(OrtException e) {
    return String.valueOf(e.getMessage()).replaceAll("\\s+", " ").trim();
  }

  private Map<String, TensorType> declared() throws OnnxException {
    try (OrtSession all = everything()) {
      Map<String, TensorType> found = new HashMap<>();
      for (Map<String, NodeInfo> infos : List.of(all.getInputInfo(), all.getOutputInfo())) {
        infos.forEach(
            (name, info) -> {
              if (info.getInfo() instanceof TensorInfo tensor) {
                found.put(name, type(tensor));
              }
            });
      }
      return found;
    } catch (OrtException e) {
      throw new OnnxException("onnxruntime cannot describe the model: " + oneLine(e), e);
    }
  }

  /** A session whose outputs are all values of the model, none of them optimised away. */
  private OrtSession everything() throws OnnxException {
    return session(
        Subgraph.upTo(model, allValues(), Map.of()), OrtSession.SessionOptions.OptLevel.NO_OPT);
  }

  private Set<String> allValues() {
    Set<String> values = new LinkedHashSet<>();
    model.graph().outputs().forEach(output -> values.add(output.name()));
    for (Node node : model.graph().nodes()) {
      node.outputs().stream().filter(output -> !output.isEmpty()).forEach(values::add);
    }
    return values;
  }

  private static TensorType type(TensorInfo info) {
    long[] shape = info.getShape();
    if (shape.length == 0) {
      // A scalar, or a value of which onnxruntime does not know the number of dimensions.
      return new TensorType(OrtTensors.element(info), null);
    }
    String[] names = names(info, shape.length);
    List<Dimension> dimensions = new ArrayList<>();
    for (int i = 0; i < shape.length; i++) {
      boolean named = shape[i] < 0 && !names[i].isEmpty() && !names[i].startsWith("unk__");
      dimensions.add(named ? new Dimension(-1, names[i]) : Dimension.of(shape[i]));
    }
    return new TensorType(OrtTensors.element(info), dimensions);
  }

  /** Names of dimensions, which onnxruntime reports since 1.17. */
  private static String[] names(TensorInfo info, int rank) {
    String[] none = new String[rank];
    java.util.Arrays.fill(none, "");
    try {
      String[] names = info.getDimensionNames();
      return names == null || names.length != rank ? none : names;
    } catch (NoSuchMethodError e) {
      return none;
    }
  }

  /**
   * Runs the model once and remembers the number of dimensions where it was not known.
   *
   * @return the shapes of all values, in order of the nodes
   */
  Map<String, long[]> learn(Map<String, OnnxTensor> inputs) throws OnnxException {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    try (OrtSession all = everything();
        OrtSession.Result result = all.run(only(inputs, all.getInputNames()))) {
      for (Map.Entry<String, OnnxValue> entry : result) {
        if (entry.getValue() instanceof OnnxTensor tensor) {
          long[] shape = tensor.getInfo().getShape();
          shapes.put(entry.getKey(), shape);
          types.compute(
              entry.getKey(),
              (name, type) ->
                  type != null && type.dimensions() != null
                      ? type
                      : unsized(OrtTensors.element(tensor.getInfo()), shape.length));
        }
      }
      return shapes;
    } catch (OrtException e) {
      throw new OnnxException("the model cannot be run: " + oneLine(e), e);
    }
  }

  private static TensorType unsized(ElementType element, int rank) {
    return new TensorType(element, java.util.Collections.nCopies(rank, Dimension.UNKNOWN));
  }

  /** The inputs that a session takes. */
  static Map<String, OnnxTensor> only(Map<String, OnnxTensor> inputs, Set<String> names) {
    Map<String, OnnxTensor> taken = new LinkedHashMap<>(inputs);
    taken.keySet().retainAll(names);
    return taken;
  }
}
