package io.camhook.explain;

import io.camhook.naming.ModelArgument;
import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.TorchScriptArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The modules of a model, which can be read from a TorchScript file without an engine, and their
 * outputs if a pass was run.
 *
 * @param model the file, or the model's name
 * @param modules in registration order, the root first
 * @param arguments the arguments of the model's forward; empty if unknown
 * @param outputs what modules returned in a pass, by module path, in order of the calls; empty
 *     without a pass; modules that were not called have no entry
 * @param auto the module that {@code auto} means; null without a pass, or if none has a spatial
 *     output
 * @param rootOnly why only {@code .} can be recorded; null if other layers can
 * @param missing why the value of a module is not in an ONNX graph, by module path; null if the
 *     model is not an ONNX graph
 * @param inputShapes input shapes that an ONNX graph declares, for a trial run; empty if more than
 *     the batch size is open, and for other models
 * @param operators values of operators that are layers
 * @param tokens the module that looks up token ids; null if the code of a TorchScript archive shows
 *     none, and for other models
 */
public record ModelListing(
    String model,
    List<ModuleDescription> modules,
    List<ModelArgument> arguments,
    Map<String, List<Output>> outputs,
    @Nullable String auto,
    @Nullable String rootOnly,
    @Nullable Map<String, String> missing,
    List<long[]> inputShapes,
    Operators operators,
    @Nullable String tokens) {

  /**
   * Values of operators in a TorchScript archive.
   *
   * @param only why layers are values of operators, {@code relu#7}; null if they are modules
   * @param pooled if layers are operators, the input of the last global pooling, which {@code auto}
   *     means; null if the code does not show it
   * @param inside the values of operators in the code of modules, {@code layer3.0/relu#1}
   * @param unclear by path, why a module of an inlined archive is no layer though its values are
   */
  public record Operators(
      @Nullable String only,
      @Nullable String pooled,
      List<ModuleDescription> inside,
      Map<String, String> unclear) {
    /** For a model in which only modules are layers. */
    public static final Operators NONE = new Operators(null, null, List.of(), Map.of());

    public Operators {
      inside = List.copyOf(inside);
      unclear = Map.copyOf(unclear);
    }
  }

  /** A model in which only modules are layers. */
  public ModelListing(
      String model,
      List<ModuleDescription> modules,
      List<ModelArgument> arguments,
      Map<String, List<Output>> outputs,
      @Nullable String auto,
      @Nullable String rootOnly,
      @Nullable Map<String, String> missing,
      List<long[]> inputShapes) {
    this(
        model,
        modules,
        arguments,
        outputs,
        auto,
        rootOnly,
        missing,
        inputShapes,
        Operators.NONE,
        null);
  }

  /** The modules of a model that is not an ONNX graph. */
  public ModelListing(
      String model,
      List<ModuleDescription> modules,
      List<ModelArgument> arguments,
      Map<String, List<Output>> outputs,
      @Nullable String auto,
      @Nullable String rootOnly) {
    this(model, modules, arguments, outputs, auto, rootOnly, null, List.of());
  }

  /** Why layers are values of operators; null if they are modules. */
  public @Nullable String operatorsOnly() {
    return operators.only();
  }

  /**
   * One tensor that a module returned.
   *
   * @param name the path, with {@code #k} and {@code :entry} as recordings have them
   * @param dtype as in safetensors
   * @param shape with the batch dimension
   */
  public record Output(String name, String dtype, List<Long> shape) {}

  public ModelListing {
    modules = List.copyOf(modules);
    arguments = List.copyOf(arguments);
    Map<String, List<Output>> copy = new LinkedHashMap<>();
    outputs.forEach((path, list) -> copy.put(path, List.copyOf(list)));
    outputs = copy;
    missing = missing == null ? null : Map.copyOf(missing);
  }

  /**
   * Reads a model's modules: from a TorchScript file without an engine, from an {@code .onnx} file
   * with onnxruntime.
   *
   * @throws IOException if the file is not a model, with the reason
   */
  public static ModelListing read(Path model) throws IOException {
    requireFile(model);
    if (OnnxSource.isOnnx(model)) {
      return OnnxSource.open(model).listing();
    }
    TorchScriptArchive archive = TorchScriptArchive.open(model);
    return new ModelListing(
        model.toString(),
        archive.modules(),
        archive.arguments(),
        Map.of(),
        null,
        archive.rootOnly().orElse(null),
        null,
        List.of(),
        new Operators(
            archive.operatorsOnly().orElse(null),
            archive.pooledPath().orElse(null),
            archive.operators(),
            archive.unclear()),
        archive.tokenEmbedding().orElse(null));
  }

  /** The same with the outputs seen in a pass. */
  ModelListing with(Map<String, List<Output>> seen, @Nullable String found) {
    return new ModelListing(
        model, modules, arguments, seen, found, rootOnly, missing, inputShapes, operators, tokens);
  }

  /** The same with the operators in the code of modules after the modules. */
  public ModelListing withOperators() {
    List<ModuleDescription> all = new ArrayList<>(modules);
    if (operatorsOnly() == null) {
      all.addAll(operators.inside());
    }
    return new ModelListing(
        model, all, arguments, outputs, auto, rootOnly, missing, inputShapes, operators, tokens);
  }

  /** The operators in the code of modules that are among {@link #modules}. */
  public List<ModuleDescription> listedInside() {
    return operatorsOnly() == null
        ? modules.stream().filter(operators.inside()::contains).toList()
        : List.of();
  }

  static void requireFile(Path model) {
    if (!Files.exists(model)) {
      throw new ExplainException(model + ": no such file or directory");
    }
    if (Files.isDirectory(model)) {
      throw new ExplainException(model + ": expected a model (.pt or .onnx), found a directory");
    }
    String name = String.valueOf(model.getFileName()).toLowerCase(Locale.ROOT);
    if (name.matches(".*\\.(png|jpe?g|gif|bmp|safetensors|txt)")) {
      throw new ExplainException(
          model
              + ": expected a model first and then its inputs, found an input: camhook explain"
              + " MODEL.pt INPUT… -o DIR");
    }
  }

  /** Whether a pass has shown the outputs. */
  public boolean hasOutputs() {
    return !outputs.isEmpty();
  }

  /** How often a module was called in the pass. */
  public int calls(String path) {
    List<String> calls = new ArrayList<>();
    for (Output output : outputs.getOrDefault(path, List.of())) {
      String call = output.name().replaceFirst(":.*", "");
      if (!calls.contains(call)) {
        calls.add(call);
      }
    }
    return calls.size();
  }

  /** Number of elements of all parameters, without buffers. */
  public long parameters() {
    return modules.stream().mapToLong(ModuleDescription::parameterCount).sum();
  }
}
