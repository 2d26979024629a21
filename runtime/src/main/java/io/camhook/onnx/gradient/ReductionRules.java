package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Sums, means, extremes and norms over axes, and global pooling. */
final class ReductionRules {
  private ReductionRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put(
        "ReduceSum",
        (b, n, f) -> f.send(0, b.expandLike(widened(b, n, f.gradient()), n.inputs().get(0))));
    rules.put("ReduceMean", ReductionRules::mean);
    rules.put("ReduceMax", ReductionRules::extreme);
    rules.put("ReduceMin", ReductionRules::extreme);
    rules.put("ReduceL1", ReductionRules::l1);
    rules.put("ReduceL2", ReductionRules::l2);
    rules.put("ReduceSumSquare", ReductionRules::sumSquare);
    rules.put("ReduceLogSumExp", ReductionRules::logSumExp);
    rules.put("GlobalAveragePool", ReductionRules::globalAverage);
    rules.put("GlobalMaxPool", ReductionRules::globalMax);
  }

  /** The axes as a value; null: all. */
  private static @Nullable String axes(Backward b, Node node) throws OnnxException {
    if (node.input(1) != null) {
      return node.input(1);
    }
    long[] axes = node.numbers("axes");
    if (axes != null) {
      return b.longs(axes);
    }
    if (node.number("noop_with_empty_axes", 0) != 0) {
      throw Refusal.of(node, "noop_with_empty_axes without axes is not written");
    }
    return null;
  }

  private static long @Nullable [] constantAxes(Backward b, Node node) throws OnnxException {
    return node.input(1) != null ? b.constantLongs(node.input(1)) : node.numbers("axes");
  }

  /** Restores the reduced axes with size 1; a scalar broadcasts by itself. */
  private static String widened(Backward b, Node node, String reduced) throws OnnxException {
    String axes = axes(b, node);
    return node.number("keepdims", 1) != 0 || axes == null
        ? reduced
        : b.op("Unsqueeze", reduced, axes);
  }

  private static void mean(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    List<Dimension> dimensions = b.dimensions(x);
    long[] axes = constantAxes(b, node);
    String share;
    double count = 1;
    if (dimensions != null && axes != null) {
      for (long axis : axes) {
        Dimension size = dimensions.get((int) (axis < 0 ? axis + dimensions.size() : axis));
        count = size.isFixed() ? count * size.size() : Double.NaN;
      }
    } else {
      count = Double.NaN;
    }
    if (Double.isNaN(count)) {
      String ratio = b.div(b.product(b.shape(x), false), b.product(b.shape(node.output()), false));
      share = b.div(flow.gradient(), b.cast(ratio, b.element(x)));
    } else {
      share = b.mul(flow.gradient(), b.real(1 / count, x));
    }
    flow.send(0, b.expandLike(widened(b, node, share), x));
  }

  /** Elements that share the extreme value share the gradient (PyTorch's rule for amax). */
  private static void extreme(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String winners = b.cast(b.op("Equal", x, widened(b, node, node.output())), b.element(x));
    String axes = axes(b, node);
    String count =
        b.op(
            "ReduceSum",
            axes == null ? List.of(winners) : List.of(winners, axes),
            Attribute.of("keepdims", 1));
    flow.send(0, b.mul(b.div(winners, count), widened(b, node, flow.gradient())));
  }

  private static void l1(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    flow.send(0, b.mul(b.op("Sign", x), widened(b, node, flow.gradient())));
  }

  private static void l2(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String ratio = b.div(flow.gradient(), node.output());
    flow.send(0, b.mul(x, widened(b, node, ratio)));
  }

  private static void sumSquare(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    flow.send(0, b.mul(b.mul(x, b.real(2, x)), widened(b, node, flow.gradient())));
  }

  private static void logSumExp(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String share = b.op("Exp", b.sub(x, widened(b, node, node.output())));
    flow.send(0, b.mul(share, widened(b, node, flow.gradient())));
  }

  private static void globalAverage(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String x = node.inputs().get(0);
    List<Dimension> dimensions = b.dimensions(x);
    String share;
    if (dimensions != null && dimensions.stream().skip(2).allMatch(Dimension::isFixed)) {
      double positions = 1;
      for (Dimension size : dimensions.subList(2, dimensions.size())) {
        positions *= size.size();
      }
      share = b.mul(flow.gradient(), b.real(1 / positions, x));
    } else {
      String positions = b.product(b.part(b.shape(x), 2, Long.MAX_VALUE), false);
      share = b.div(flow.gradient(), b.cast(positions, b.element(x)));
    }
    flow.send(0, b.expandLike(share, x));
  }

  private static void globalMax(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String winners = b.cast(b.op("Equal", x, node.output()), b.element(x));
    String count = b.sum(winners, true, LongStream.range(2, b.rank(node, x)).toArray());
    flow.send(0, b.mul(b.div(winners, count), flow.gradient()));
  }
}
