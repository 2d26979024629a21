package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Pools over windows. */
final class PoolRules {
  private static final int MAX_KERNEL = 1 << 16;

  private PoolRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("AveragePool", PoolRules::average);
    rules.put("MaxPool", PoolRules::max);
  }

  private static long[] kernel(Node node) throws OnnxException {
    long[] kernel = node.numbers("kernel_shape");
    long size = 1;
    for (long one : kernel == null ? new long[] {0} : kernel) {
      size = one < 1 || one > MAX_KERNEL ? 0 : Math.min(MAX_KERNEL + 1, size * one);
    }
    if (kernel == null || size == 0 || size > MAX_KERNEL) {
      throw Refusal.of(node, "its kernel has no size that makes sense");
    }
    return kernel;
  }

  /** The largest element of a window gets all: its position is an output of the operator. */
  private static void max(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    kernel(node);
    if (node.number("storage_order", 0) != 0) {
      throw Refusal.of(node, "storage_order 1 is not written");
    }
    String x = node.inputs().get(0);
    // A second pool, because a second output on the application's pool would prevent fusions.
    List<String> again =
        b.ops("MaxPool", 2, List.of(x), node.attributes().toArray(new Attribute[0]));
    flow.send(0, b.scatter(x, b.flat(again.get(1)), flow.gradient()));
  }

  /**
   * Every cell of a window gets its share. The divisor of a window at the border depends on
   * count_include_pad and ceil_mode: it is measured with the operator itself, on ones.
   */
  private static void average(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String y = node.output();
    long[] kernel = kernel(node);
    Geometry geometry = Geometry.of(node, kernel);
    String g = flow.gradient();
    boolean include = node.number("count_include_pad", 0) != 0;
    boolean plain = !geometry.ceil() && (!geometry.padded() || (include && !geometry.same()));
    String weight;
    String shared;
    if (plain) {
      long cells = 1;
      for (long one : kernel) {
        cells *= one;
      }
      weight = ConvolutionRules.filled(b, kernel, 1.0 / cells, x);
      shared = g;
    } else {
      weight = ConvolutionRules.filled(b, kernel, 1, x);
      shared = b.mul(g, shares(b, node, geometry, weight));
    }
    Geometry single =
        new Geometry(
            kernel,
            geometry.strides(),
            geometry.dilations(),
            geometry.pads(),
            geometry.same(),
            geometry.lower(),
            1,
            geometry.ceil());
    String channels = b.reshape(shared, b.concat(b.longs(-1, 1), b.sizes(y, 2, 2 + kernel.length)));
    flow.send(0, b.reshapeLike(single.back(b, channels, weight, x, y), x));
  }

  /** One over the divisor of each window: average of ones ÷ cells of ones in the window. */
  private static String shares(Backward b, Node node, Geometry geometry, String ones) {
    String x = node.inputs().get(0);
    int axes = geometry.axes();
    String plane = b.op("Expand", b.real(1, x), b.concat(b.longs(1, 1), b.sizes(x, 2, 2 + axes)));
    String mean = b.op("AveragePool", List.of(plane), node.attributes().toArray(new Attribute[0]));
    List<Attribute> walk = new ArrayList<>();
    walk.add(Attribute.of("kernel_shape", geometry.kernel()));
    walk.add(Attribute.of("strides", geometry.strides()));
    walk.add(Attribute.of("dilations", geometry.dilations()));
    String cells;
    if (geometry.same()) {
      walk.add(Attribute.of("auto_pad", geometry.lower() ? "SAME_LOWER" : "SAME_UPPER"));
      cells = b.op("Conv", List.of(plane, ones), walk.toArray(new Attribute[0]));
    } else if (geometry.ceil()) {
      long[] pads = geometry.pads().clone();
      for (int i = 0; i < axes; i++) {
        pads[i + axes] += geometry.strides()[i];
      }
      walk.add(Attribute.of("pads", pads));
      String more = b.op("Conv", List.of(plane, ones), walk.toArray(new Attribute[0]));
      cells =
          b.op(
              "Slice",
              more,
              b.longs(new long[axes]),
              b.sizes(node.output(), 2, 2 + axes),
              b.longs(LongStream.range(2, 2L + axes).toArray()));
    } else {
      walk.add(Attribute.of("pads", geometry.pads()));
      cells = b.op("Conv", List.of(plane, ones), walk.toArray(new Attribute[0]));
    }
    return b.div(mean, cells);
  }
}
