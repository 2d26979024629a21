package io.camhook.ort;

import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModulePath;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.naming.OnnxModule;
import io.camhook.onnx.naming.OnnxModules;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.ModuleInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The layers of a model, by the names used in a configuration. */
final class GraphLayers {
  /**
   * A layer whose value is in the graph.
   *
   * @param value the value's name
   * @param type the operator that computes it
   */
  record Layer(LayerOutput layer, String value, String type) {
    static Layer of(OnnxModule module) {
      return new Layer(
          new LayerOutput(module.path(), module.call(), null),
          String.valueOf(module.value()),
          module.operator());
    }
  }

  private final OrtModel model;
  private final OnnxModules modules;
  private final Map<String, Integer> order = new HashMap<>();

  GraphLayers(OrtModel model) throws OnnxException {
    this.model = model;
    this.modules = OnnxModules.of(model.model(), model.types());
    for (Node node : model.model().graph().nodes()) {
      node.outputs().forEach(output -> order.put(output, order.size()));
    }
  }

  /** All modules, the whole model first. */
  List<ModuleInfo> modules() {
    List<ModuleInfo> all = new ArrayList<>();
    for (OnnxModule module : modules.all()) {
      String value = module.value();
      ModuleInfo info =
          new ModuleInfo(
              module.label(), module.operator(), null, value == null ? null : shape(value));
      all.add(module.path().equals(".") ? 0 : all.size(), info);
    }
    return all;
  }

  private @Nullable List<Long> shape(String value) {
    TensorType type = model.types().get(value);
    List<Dimension> dimensions = type == null ? null : type.dimensions();
    return dimensions == null || !dimensions.stream().allMatch(Dimension::isFixed)
        ? null
        : dimensions.stream().map(Dimension::size).toList();
  }

  /**
   * The layers that a path or glob of {@code layers} matches: all calls of the modules with that
   * path, or the value or node with that name.
   *
   * @throws OnnxException if there are none, with the reason
   */
  List<Layer> select(String pattern) throws OnnxException {
    List<ModulePath> paths =
        modules.all().stream().map(module -> ModulePath.parse(module.path())).distinct().toList();
    List<ModulePath> selected = LayerPattern.of(pattern).select(paths);
    List<Layer> found = new ArrayList<>();
    for (OnnxModule module : modules.all()) {
      if (module.value() != null && selected.contains(ModulePath.parse(module.path()))) {
        found.add(Layer.of(module));
      }
    }
    return found.isEmpty() ? List.of(Layer.of(modules.resolve(pattern))) : found;
  }

  /**
   * The layer that {@code auto} means.
   *
   * @param score the output from which it is searched backwards; null if there is none
   * @throws OnnxException if there is no such layer, with the reason
   */
  OnnxModules.Auto auto(@Nullable String score) throws OnnxException {
    if (score == null) {
      throw new OnnxException("no layer for 'auto': no output holds scores; name a layer");
    }
    return modules.auto(score, shapes());
  }

  /** Sizes that vary are -1. */
  private Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new HashMap<>();
    model
        .types()
        .forEach(
            (name, type) -> {
              List<Dimension> dimensions = type.dimensions();
              if (dimensions != null) {
                shapes.put(name, dimensions.stream().mapToLong(Dimension::size).toArray());
              }
            });
    return shapes;
  }

  /** In the order in which they are computed; modules that return one value, inner ones first. */
  List<Layer> inOrder(Collection<Layer> layers) {
    return layers.stream()
        .distinct()
        .sorted(
            Comparator.comparingInt((Layer layer) -> order.getOrDefault(layer.value(), -1))
                .thenComparing(layer -> -layer.layer().path().length()))
        .toList();
  }
}
