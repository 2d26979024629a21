package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModelArgument;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.naming.OnnxModule;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.ort.OnnxFile;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.flow.AutoLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An {@code .onnx} file, run by onnxruntime. */
record OnnxSource(OnnxFile file, ModelListing listing) implements ModelSource {
  static boolean isOnnx(Path model) {
    return model.toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
  }

  /**
   * Opens a file.
   *
   * @throws ExplainException if it is not an ONNX model, or onnxruntime cannot load it
   */
  static OnnxSource open(Path model) throws IOException {
    try {
      OnnxFile file = OnnxFile.open(model);
      return new OnnxSource(file, listing(model, file));
    } catch (OnnxException e) {
      throw new ExplainException(model + ": " + e.getMessage(), e);
    } catch (LinkageError e) {
      throw new ExplainException(
          "onnxruntime could not be started: %s; it comes as com.microsoft.onnxruntime:onnxruntime"
              .formatted(e.getMessage()),
          e);
    }
  }

  private static ModelListing listing(Path model, OnnxFile file) {
    Map<String, List<TensorData>> parameters = file.modules().parameters();
    Map<String, String> missing = new LinkedHashMap<>();
    Map<String, ModuleDescription> modules = new LinkedHashMap<>();
    modules.put(".", description(".", "model", 1, parameters));
    for (OnnxModule module : file.modules().all()) {
      if (module.path().equals(".")) {
        continue;
      }
      String reason = module.reason();
      if (module.value() != null) {
        modules.compute(
            module.path(),
            (path, before) ->
                description(
                    path,
                    module.operator(),
                    before == null ? 1 : before.callSites() + 1,
                    parameters));
        missing.remove(module.path());
      } else if (reason != null && !modules.containsKey(module.path())) {
        modules.put(module.path(), description(module.path(), module.operator(), 0, parameters));
        missing.put(module.path(), reason);
      }
    }
    return new ModelListing(
        model.toString(),
        List.copyOf(modules.values()),
        file.inputs().stream().map(name -> new ModelArgument(name, "Tensor", false)).toList(),
        Map.of(),
        null,
        null,
        missing,
        Optional.ofNullable(file.inputShapes()).orElse(List.of()));
  }

  private static ModuleDescription description(
      String path, String operator, int calls, Map<String, List<TensorData>> parameters) {
    List<ModuleDescription.Parameter> own = new ArrayList<>();
    for (TensorData tensor : parameters.getOrDefault(path, List.of())) {
      String prefix = path + ".";
      String name =
          tensor.name().startsWith(prefix)
              ? tensor.name().substring(prefix.length())
              : tensor.name();
      boolean buffer = name.startsWith("running_");
      own.add(
          new ModuleDescription.Parameter(
              name, dtype(tensor), Arrays.stream(tensor.dimensions()).boxed().toList(), buffer));
    }
    return new ModuleDescription(path, operator, List.of(), own, false, calls);
  }

  private static String dtype(TensorData tensor) {
    return switch (tensor.type()) {
      case FLOAT -> "F32";
      case DOUBLE -> "F64";
      case FLOAT16 -> "F16";
      case BFLOAT16 -> "BF16";
      default -> tensor.type().toString();
    };
  }

  @Override
  public Set<String> select(List<String> layers) {
    Set<String> selected = new LinkedHashSet<>();
    for (String layer : layers) {
      if (layer.contains("*")) {
        selected.addAll(matching(layer));
      } else if (listing.modules().stream()
          .anyMatch(m -> m.path().equals(layer) && m.callSites() > 0)) {
        selected.add(layer);
      } else {
        try {
          file.modules().resolve(layer);
          selected.add(layer);
        } catch (OnnxException e) {
          throw new ExplainException(
              "%s: %s; 'camhook layers %s' lists all"
                  .formatted(listing.model(), e.getMessage(), listing.model()),
              e);
        }
      }
    }
    return selected;
  }

  private List<String> matching(String glob) {
    LayerPattern pattern = LayerPattern.of(glob);
    List<String> found =
        LayerSelection.called(listing).stream()
            .map(ModuleDescription::path)
            .filter(path -> pattern.matches(ModulePath.parse(path)))
            .toList();
    if (found.isEmpty()) {
      throw new ExplainException(
          "%s: no layer '%s'; 'camhook layers %s' lists all"
              .formatted(listing.model(), glob, listing.model()));
    }
    return found;
  }

  /** All calls of the paths that the graph holds, and exact names as they are. */
  @Override
  public ModelSession open(Collection<String> paths) throws IOException {
    Set<String> labels = new LinkedHashSet<>();
    for (String path : paths) {
      List<String> calls =
          file.modules().all().stream()
              .filter(module -> module.path().equals(path) && module.value() != null)
              .map(OnnxModule::label)
              .toList();
      labels.addAll(calls.isEmpty() ? List.of(path) : calls);
    }
    return file.session(labels);
  }

  @Override
  public Optional<AutoLayer> auto(@Nullable String output, List<Tensor> inputs) {
    try {
      OnnxModules.Auto found = file.modules().auto(file.score(output), file.shapes(inputs));
      return Optional.of(new AutoLayer(found.module().label(), found.notice()));
    } catch (OnnxException e) {
      throw new Explainer.NoAutoLayer(listing.model() + ": " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new ExplainException(listing.model() + ": " + e.getMessage(), e);
    } catch (OrtRunException e) {
      throw new ExplainException(
          "the model cannot be run with inputs of shape %s: %s"
              .formatted(Explainer.shapes(inputs), EngineMessages.shortened(e)),
          e);
    }
  }

  @Override
  public List<String> valuesOf(String operator) {
    return operator.equals("softmax") ? file.valuesOf("Softmax") : List.of();
  }

  @Override
  public List<ModuleDescription> biased() {
    List<ModuleDescription> found = new ArrayList<>();
    for (OnnxFile.BiasNode node : file.biases()) {
      ModuleDescription.Parameter bias =
          new ModuleDescription.Parameter("bias", "F32", List.of(), false);
      found.add(
          new ModuleDescription(
              node.value(),
              node.convolution() ? "Conv2d" : "BatchNorm2d",
              List.of(),
              List.of(bias),
              false,
              1));
    }
    return found;
  }

  @Override
  public double epsilon(ModuleDescription batchNorm, ModelSession session) {
    return file.biases().stream()
        .filter(node -> node.value().equals(batchNorm.path()))
        .findFirst()
        .orElseThrow()
        .epsilon();
  }
}
