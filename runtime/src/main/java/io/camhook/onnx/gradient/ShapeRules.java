package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Operators that move, repeat or drop elements. */
final class ShapeRules {
  private ShapeRules() {}

  static void addTo(Map<String, Rule> rules) {
    Rule reshape = (b, n, f) -> f.send(0, b.reshapeLike(f.gradient(), n.inputs().get(0)));
    rules.put("Reshape", reshape);
    rules.put("Flatten", reshape);
    rules.put("Squeeze", reshape);
    rules.put("Unsqueeze", reshape);
    rules.put("Transpose", ShapeRules::transpose);
    rules.put(
        "Expand",
        (b, n, f) -> f.send(0, b.unbroadcast(f.gradient(), n.output(), n.inputs().get(0))));
    rules.put("Tile", ShapeRules::move);
    rules.put("GatherElements", ShapeRules::move);
    rules.put("GatherND", ShapeRules::move);
    rules.put("Concat", ShapeRules::concat);
    rules.put("Split", ShapeRules::split);
    rules.put("Slice", ShapeRules::slice);
    rules.put("Gather", ShapeRules::gather);
    rules.put("Pad", ShapeRules::pad);
    rules.put("DepthToSpace", ShapeRules::depthToSpace);
    rules.put("SpaceToDepth", ShapeRules::spaceToDepth);
    rules.put("Trilu", ShapeRules::trilu);
    rules.put("CumSum", ShapeRules::cumSum);
    rules.put("ScatterElements", ShapeRules::scatterElements);
    rules.put("ScatterND", ShapeRules::scatterNd);
    rules.put("TopK", ShapeRules::topK);
  }

  private static void transpose(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    long[] permutation = node.numbers("perm");
    if (permutation == null) {
      flow.send(0, b.op("Transpose", flow.gradient()));
      return;
    }
    long[] inverse = new long[permutation.length];
    for (int i = 0; i < inverse.length; i++) {
      inverse[(int) permutation[i]] = i;
    }
    flow.send(0, b.transpose(flow.gradient(), inverse));
  }

  /**
   * Operators that move elements of their first input: the operator is applied to the positions.
   */
  private static void move(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "indices");
    flow.send(0, b.scatterBy(node.inputs().get(0), at -> moved(b, node, at), flow.gradient()));
  }

  private static String moved(Backward b, Node node, String positions) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, positions);
    return b.op(node.operator(), inputs, node.attributes().toArray(new Attribute[0]));
  }

  private static void concat(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    int axis = (int) node.number("axis", 0);
    String g = flow.gradient();
    int last = 0;
    for (int i = 0; i < node.inputs().size(); i++) {
      last = flow.needs(i) ? i : last;
    }
    String offset = b.longs(0);
    long fixed = 0;
    for (int i = 0; i <= last; i++) {
      String input = node.inputs().get(i);
      List<Dimension> dimensions = b.dimensions(input);
      Dimension size =
          dimensions == null
              ? Dimension.UNKNOWN
              : dimensions.get(axis < 0 ? axis + dimensions.size() : axis);
      String end;
      if (size.isFixed() && fixed >= 0) {
        fixed += size.size();
        end = b.longs(fixed);
      } else {
        fixed = -1;
        end =
            b.add(
                offset,
                b.op("Gather", List.of(b.shape(input), b.longs(axis)), Attribute.of("axis", 0)));
      }
      if (flow.needs(i)) {
        flow.send(i, b.op("Slice", g, offset, end, b.longs(axis)));
      }
      offset = end;
    }
  }

  private static void split(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < node.outputs().size(); i++) {
      String arrived = flow.gradient(i);
      parts.add(arrived == null ? b.zerosLike(node.outputs().get(i)) : arrived);
    }
    flow.send(0, b.op("Concat", parts, Attribute.of("axis", node.number("axis", 0))));
  }

  private static void slice(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String g = flow.gradient();
    long[] steps = b.constantLongs(node.input(4));
    boolean step1 =
        node.input(4) == null || (steps != null && Arrays.stream(steps).allMatch(s -> s == 1));
    List<Dimension> dimensions = b.dimensions(x);
    long[] starts = b.constantLongs(node.input(1));
    long[] ends = b.constantLongs(node.input(2));
    long[] axes = b.constantLongs(node.input(3));
    if (node.input(3) == null && starts != null) {
      axes = LongStream.range(0, starts.length).toArray();
    }
    if (step1 && dimensions != null && axes != null) {
      long @Nullable [] pads =
          starts == null || ends == null ? null : pads(dimensions, starts, ends, axes);
      if (pads != null) {
        boolean nothing = Arrays.stream(pads).allMatch(p -> p == 0);
        flow.send(0, nothing ? g : b.op("Pad", g, b.longs(pads), b.real(0, x)));
        return;
      }
      flow.send(0, padComputed(b, node, g, dimensions.size(), axes));
      return;
    }
    flow.send(0, b.scatterBy(x, at -> moved(b, node, at), g));
  }

  /**
   * The sizes that a slice cuts off at both ends of every axis; null if they depend on the input.
   */
  private static long @Nullable [] pads(
      List<Dimension> dimensions, long[] starts, long[] ends, long[] axes) {
    int rank = dimensions.size();
    long[] pads = new long[2 * rank];
    for (int k = 0; k < axes.length; k++) {
      int axis = (int) (axes[k] < 0 ? axes[k] + rank : axes[k]);
      long start = starts[k];
      long end = ends[k];
      if (dimensions.get(axis).isFixed()) {
        long size = dimensions.get(axis).size();
        start = Math.max(0, Math.min(size, start < 0 ? start + size : start));
        end = Math.max(start, Math.min(size, end < 0 ? end + size : end));
        pads[axis] = start;
        pads[axis + rank] = size - end;
      } else if (start >= 0 && end < 0) {
        pads[axis] = start;
        pads[axis + rank] = -end;
      } else if (start >= 0 && end >= Integer.MAX_VALUE) {
        pads[axis] = start;
      } else {
        return null;
      }
    }
    return pads;
  }

  /** Start and length of each cut, by slicing 0, 1, 2 … as the operator does. */
  private static String padComputed(Backward b, Node node, String g, int rank, long[] axes) {
    String x = node.inputs().get(0);
    List<String> before = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      int k = -1;
      for (int i = 0; i < axes.length; i++) {
        if ((axes[i] < 0 ? axes[i] + rank : axes[i]) == axis) {
          k = i;
        }
      }
      if (k < 0) {
        before.add(b.longs(0));
        continue;
      }
      String all = b.op("Range", b.scalar(0), b.op("Squeeze", b.size(x, axis)), b.scalar(1));
      String cut =
          b.op(
              "Slice",
              all,
              b.op("Gather", node.inputs().get(1), b.longs(k)),
              b.op("Gather", node.inputs().get(2), b.longs(k)));
      before.add(b.part(b.concat(cut, b.longs(0)), 0, 1));
    }
    String begin = b.concat(before.toArray(new String[0]));
    String end = b.sub(b.sub(b.shape(x), b.shape(node.output())), begin);
    return b.op("Pad", g, b.concat(begin, end), b.real(0, x));
  }

  private static void gather(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "indices");
    String x = node.inputs().get(0);
    int axis = (int) node.number("axis", 0);
    List<Dimension> dimensions = b.dimensions(x);
    long[] index = b.constantLongs(node.input(1));
    List<Dimension> indexShape = b.dimensions(node.input(1));
    if (index != null && indexShape != null && indexShape.isEmpty() && dimensions != null) {
      int rank = dimensions.size();
      int at = axis < 0 ? axis + rank : axis;
      Dimension size = dimensions.get(at);
      if (size.isFixed()) {
        long chosen = index[0] < 0 ? index[0] + size.size() : index[0];
        long[] pads = new long[2 * rank];
        pads[at] = chosen;
        pads[at + rank] = size.size() - 1 - chosen;
        String one = b.op("Unsqueeze", flow.gradient(), b.longs(at));
        flow.send(0, b.op("Pad", one, b.longs(pads), b.real(0, x)));
        return;
      }
    }
    move(b, node, flow);
  }

  private static void pad(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "padding");
    String x = node.inputs().get(0);
    String g = flow.gradient();
    boolean constant = node.text("mode", "constant").equals("constant");
    long[] pads = b.constantLongs(node.input(1));
    if (constant && pads != null && node.input(3) == null) {
      flow.send(0, crop(b, g, x, pads));
      return;
    }
    if (!constant) {
      flow.send(
          0,
          b.scatterBy(
              x,
              at -> {
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.set(0, at);
                if (inputs.size() > 2) {
                  inputs.set(2, "");
                }
                return b.op("Pad", inputs, node.attributes().toArray(new Attribute[0]));
              },
              g));
      return;
    }
    // Padding has no position in x: its gradient is added up in one extra element, which is cut
    // off.
    String count = b.product(b.shape(x), false);
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, b.positions(x));
    while (inputs.size() < 3) {
      inputs.add("");
    }
    inputs.set(2, count);
    String at = b.flat(b.op("Pad", inputs, Attribute.of("mode", "constant")));
    String zeros = b.op("Expand", b.real(0, x), b.add(b.count(x), b.longs(1)));
    String summed =
        b.op(
            "ScatterElements",
            List.of(zeros, at, b.flat(g)),
            Attribute.of("axis", 0),
            Attribute.of("reduction", "add"));
    flow.send(0, b.reshape(b.part(summed, 0, -1), b.shape(x)));
  }

  /** Cuts off the padding. Negative pads cut elements off, which get no gradient. */
  private static String crop(Backward b, String g, String x, long[] pads) {
    int rank = pads.length / 2;
    long[] starts = new long[rank];
    long[] ends = new long[rank];
    long[] lost = new long[2 * rank];
    for (int i = 0; i < rank; i++) {
      starts[i] = Math.max(0, pads[i]);
      ends[i] = pads[i + rank] > 0 ? -pads[i + rank] : Long.MAX_VALUE;
      lost[i] = Math.max(0, -pads[i]);
      lost[i + rank] = Math.max(0, -pads[i + rank]);
    }
    String inner =
        Arrays.stream(pads).anyMatch(p -> p > 0)
            ? b.op(
                "Slice",
                g,
                b.longs(starts),
                b.longs(ends),
                b.longs(LongStream.range(0, rank).toArray()))
            : g;
    return Arrays.stream(lost).anyMatch(p -> p > 0)
        ? b.op("Pad", inner, b.longs(lost), b.real(0, x))
        : inner;
  }

  private static void depthToSpace(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String x = node.inputs().get(0);
    long block = node.number("blocksize", 1);
    String shape =
        b.concat(
            b.size(x, 0), b.longs(-1), b.size(x, 2), b.longs(block), b.size(x, 3), b.longs(block));
    String blocks = b.reshape(flow.gradient(), shape);
    boolean columns = node.text("mode", "DCR").equals("CRD");
    String ordered =
        columns ? b.transpose(blocks, 0, 1, 3, 5, 2, 4) : b.transpose(blocks, 0, 3, 5, 1, 2, 4);
    flow.send(0, b.reshapeLike(ordered, x));
  }

  private static void spaceToDepth(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    flow.send(
        0,
        b.op(
            "DepthToSpace",
            List.of(flow.gradient()),
            Attribute.of("blocksize", node.number("blocksize", 1)),
            Attribute.of("mode", "DCR")));
  }

  private static void trilu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, flow.gradient());
    flow.send(0, b.op("Trilu", inputs, Attribute.of("upper", node.number("upper", 1))));
  }

  private static void cumSum(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.send(
        0,
        b.op(
            "CumSum",
            List.of(flow.gradient(), node.inputs().get(1)),
            Attribute.of("exclusive", node.number("exclusive", 0)),
            Attribute.of("reverse", 1 - node.number("reverse", 0))));
  }

  private static void scatterElements(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    scatter(b, node, flow, "GatherElements", Attribute.of("axis", node.number("axis", 0)));
  }

  private static void scatterNd(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    scatter(b, node, flow, "GatherND");
  }

  /** Overwritten elements get no gradient; the updates get the gradient at their positions. */
  private static void scatter(
      Backward b, Node node, OperatorBackward flow, String gather, Attribute... attributes)
      throws OnnxException {
    String reduction = node.text("reduction", "none");
    if (!reduction.equals("none") && !reduction.equals("add")) {
      throw Refusal.of(node, "reduction " + reduction + " is not written");
    }
    String g = flow.gradient();
    String indices = node.inputs().get(1);
    String updates = node.inputs().get(2);
    if (flow.needs(0)) {
      if (reduction.equals("add")) {
        flow.send(0, g);
      } else {
        String zeros = b.op("Expand", b.real(0, updates), b.shape(updates));
        flow.send(0, b.op(node.operator(), List.of(g, indices, zeros), attributes));
      }
    }
    if (flow.needs(2)) {
      flow.send(2, b.op(gather, List.of(g, indices), attributes));
    }
  }

  private static void topK(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    if (node.outputs().size() < 2 || node.outputs().get(1).isEmpty()) {
      throw Refusal.of(node, "its indices are not in the graph");
    }
    flow.send(
        0,
        b.op(
            "ScatterElements",
            List.of(b.zerosLike(x), node.outputs().get(1), flow.gradient()),
            Attribute.of("axis", node.number("axis", -1))));
  }
}
