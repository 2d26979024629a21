package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is known about the values of a graph: types from an engine, declarations, and constants. */
final class Types {
  private final Map<String, TensorType> types = new HashMap<>();
  private final Map<String, TensorData> constants = new HashMap<>();

  Types(Graph graph, Map<String, TensorType> known) throws OnnxException {
    for (List<ValueInfo> declared : List.of(graph.values(), graph.inputs(), graph.outputs())) {
      for (ValueInfo value : declared) {
        if (value.type() != null) {
          types.put(value.name(), value.type());
        }
      }
    }
    types.putAll(known);
    correctRoundedPools(graph);
    for (TensorData tensor : graph.initializers()) {
      add(tensor);
    }
    for (Node node : graph.nodes()) {
      TensorData value = constant(node);
      if (value != null) {
        add(value);
      }
    }
  }

  /**
   * A pool with ceil_mode skips a window that would begin in the padding after the input.
   * onnxruntime's kernel does that, but its shape inference (up to 1.22) counts the window. So the
   * sizes after such a pool are known only in a run.
   */
  private void correctRoundedPools(Graph graph) throws OnnxException {
    Set<String> uncertain = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (node.reads().stream().anyMatch(uncertain::contains)) {
        node.outputs().forEach(this::forgetSizes);
        uncertain.addAll(node.outputs());
      }
      long[] kernel = node.numbers("kernel_shape");
      List<Dimension> in = node.input(0) == null ? null : dimensions(node.inputs().get(0));
      List<Dimension> out = dimensions(node.output());
      if (kernel == null || in == null || out == null || node.number("ceil_mode", 0) == 0) {
        continue;
      }
      Geometry geometry = Geometry.of(node, kernel);
      List<Dimension> windows = new ArrayList<>(out);
      for (int i = 0; i < geometry.axes() && i + 2 < out.size() && i + 2 < in.size(); i++) {
        long size = in.get(i + 2).size();
        long count = out.get(i + 2).size();
        long begin = (count - 1) * geometry.strides()[i];
        if (size >= 0 && count > 1 && begin >= size + geometry.pads()[i]) {
          windows.set(i + 2, Dimension.of(count - 1));
        }
      }
      if (!windows.equals(out)) {
        for (String output : node.outputs()) {
          put(output, new TensorType(element(output), windows));
        }
        uncertain.addAll(node.outputs());
      }
    }
  }

  private void forgetSizes(String value) {
    TensorType type = types.get(value);
    if (type != null && type.dimensions() != null) {
      List<Dimension> open = new ArrayList<>(type.dimensions());
      for (int i = 1; i < open.size(); i++) {
        open.set(i, Dimension.UNKNOWN);
      }
      types.put(value, new TensorType(type.element(), open));
    }
  }

  private @Nullable TensorData constant(Node node) throws OnnxException {
    if (node.is("Identity")) {
      TensorData source = constants.get(node.input(0));
      return source == null ? null : source.named(node.output());
    }
    if (!node.is("Constant")) {
      return null;
    }
    io.camhook.onnx.graph.Attribute value = node.attribute("value");
    if (value != null) {
      TensorData tensor = value.tensor();
      return tensor == null ? null : tensor.named(node.output());
    }
    if (node.has("value_float")) {
      return TensorData.of(
          node.output(), ElementType.FLOAT, new long[0], node.real("value_float", 0));
    }
    if (node.has("value_int")) {
      return TensorData.of(node.output(), new long[0], node.number("value_int", 0));
    }
    long[] ints = node.numbers("value_ints");
    if (ints != null) {
      return TensorData.of(node.output(), new long[] {ints.length}, ints);
    }
    io.camhook.onnx.graph.Attribute floats = node.attribute("value_floats");
    if (floats == null) {
      return null;
    }
    float[] values = floats.reals();
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return TensorData.of(node.output(), ElementType.FLOAT, new long[] {wide.length}, wide);
  }

  void add(TensorData tensor) {
    constants.put(tensor.name(), tensor);
    types.put(tensor.name(), tensor.tensorType());
  }

  void put(String name, @Nullable TensorType type) {
    if (type != null) {
      types.put(name, type);
    }
  }

  @Nullable TensorType get(String name) {
    return types.get(name);
  }

  /** The element type; float if it is unknown. */
  ElementType element(String name) {
    TensorType type = types.get(name);
    return type == null ? ElementType.FLOAT : type.element();
  }

  /** Whether the value is real, as far as known. */
  boolean isReal(String name) {
    TensorType type = types.get(name);
    return type == null || type.element().isReal() || type.element() == ElementType.UNDEFINED;
  }

  @Nullable List<Dimension> dimensions(String name) {
    TensorType type = types.get(name);
    return type == null ? null : type.dimensions();
  }

  @Nullable TensorData constant(@Nullable String name) {
    return name == null ? null : constants.get(name);
  }
}
