package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Softmax and normalisations. */
final class NormRules {
  private NormRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("Softmax", NormRules::softmax);
    rules.put("LogSoftmax", NormRules::logSoftmax);
    rules.put("LayerNormalization", NormRules::layer);
    rules.put("RMSNormalization", NormRules::rootMeanSquare);
    rules.put("InstanceNormalization", NormRules::instance);
    rules.put("GroupNormalization", NormRules::group);
    rules.put("BatchNormalization", NormRules::batch);
    rules.put("LpNormalization", NormRules::lp);
    rules.put("LRN", NormRules::localResponse);
  }

  private static void softmax(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String g = flow.gradient();
    String total = b.sum(b.mul(g, y), true, node.number("axis", -1));
    flow.send(0, b.mul(y, b.sub(g, total)));
  }

  private static void logSoftmax(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String g = flow.gradient();
    String total = b.sum(g, true, node.number("axis", -1));
    flow.send(0, b.sub(g, b.mul(b.op("Exp", node.output()), total)));
  }

  /**
   * The gradient before {@code (x - mean)/sqrt(var + eps)}.
   *
   * @param g the gradient after it, times the scale
   */
  private static String normalized(Backward b, String x, String g, long[] axes, double epsilon) {
    String centred = b.sub(x, b.mean(x, axes));
    String variance = b.mean(b.mul(centred, centred), axes);
    String inverse = b.op("Reciprocal", b.op("Sqrt", b.add(variance, b.real(epsilon, x))));
    String unit = b.mul(centred, inverse);
    String along = b.mul(unit, b.mean(b.mul(g, unit), axes));
    return b.mul(b.sub(b.sub(g, b.mean(g, axes)), along), inverse);
  }

  /** The axes from one on, counted from the end. */
  private static long[] trailing(Backward b, Node node, String x) throws OnnxException {
    long axis = node.number("axis", -1);
    return LongStream.range(axis < 0 ? axis : axis - b.rank(node, x), 0).toArray();
  }

  private static void layer(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "scale");
    String x = node.inputs().get(0);
    String g = b.mul(flow.gradient(), node.inputs().get(1));
    flow.send(0, normalized(b, x, g, trailing(b, node, x), node.real("epsilon", 1e-5)));
  }

  private static void rootMeanSquare(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    flow.onlyBefore(1, "scale");
    String x = node.inputs().get(0);
    long[] axes = trailing(b, node, x);
    String g = b.mul(flow.gradient(), node.inputs().get(1));
    String square = b.add(b.mean(b.mul(x, x), axes), b.real(node.real("epsilon", 1e-5), x));
    String inverse = b.op("Reciprocal", b.op("Sqrt", square));
    String unit = b.mul(x, inverse);
    String along = b.mul(unit, b.mean(b.mul(g, unit), axes));
    flow.send(0, b.mul(b.sub(g, along), inverse));
  }

  /** A value of each channel, ready to be broadcast over positions. */
  private static String perChannel(Backward b, String channels, int rank) {
    return rank > 2
        ? b.op("Unsqueeze", channels, b.longs(LongStream.range(1, rank - 1).toArray()))
        : channels;
  }

  private static void instance(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "scale");
    String x = node.inputs().get(0);
    int rank = b.rank(node, x);
    String g = b.mul(flow.gradient(), perChannel(b, node.inputs().get(1), rank));
    long[] positions = LongStream.range(2, rank).toArray();
    flow.send(0, normalized(b, x, g, positions, node.real("epsilon", 1e-5)));
  }

  private static void group(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "scale");
    String x = node.inputs().get(0);
    long groups = node.number("num_groups", 1);
    String scale = node.inputs().get(1);
    if (b.opset() < 21) {
      // Before operator set 21 there is one scale for each group, not for each channel.
      scale = perGroup(b, scale, groups, x);
    }
    String g = b.mul(flow.gradient(), perChannel(b, scale, b.rank(node, x)));
    String shape = b.longs(0, groups, -1);
    String grouped =
        normalized(
            b,
            b.reshape(x, shape),
            b.reshape(g, shape),
            new long[] {2},
            node.real("epsilon", 1e-5));
    flow.send(0, b.reshapeLike(grouped, x));
  }

  private static String perGroup(Backward b, String scale, long groups, String x) {
    String each = b.div(b.size(x, 1), b.longs(groups));
    String wide =
        b.op("Expand", b.reshape(scale, b.longs(groups, 1)), b.concat(b.longs(groups), each));
    return b.flat(wide);
  }

  private static void batch(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "parameters");
    if (node.number("training_mode", 0) != 0) {
      throw Refusal.of(node, "it normalises with the batch's own statistics (training mode)");
    }
    String scale = node.inputs().get(1);
    String zero = b.sub(scale, scale);
    flow.send(
        0,
        b.op(
            "BatchNormalization",
            List.of(flow.gradient(), scale, zero, zero, node.inputs().get(4)),
            Attribute.of("epsilon", (float) node.real("epsilon", 1e-5))));
  }

  private static void lp(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    if (node.number("p", 2) != 2) {
      throw Refusal.of(node, "only p = 2 is written");
    }
    String x = node.inputs().get(0);
    String y = node.output();
    String g = flow.gradient();
    long axis = node.number("axis", -1);
    String norm = b.op("Sqrt", b.sum(b.mul(x, x), true, axis));
    String along = b.mul(y, b.sum(b.mul(g, y), true, axis));
    flow.send(0, b.div(b.sub(g, along), norm));
  }

  /**
   * {@code y_c = x_c·s_c^-beta}, {@code s_c = bias + alpha/size·Σ x_k²} over a window of channels:
   * {@code g_c·s_c^-beta - 2·alpha·beta/size·x_c·Σ g_k·y_k/s_k} over the mirrored window. Sums over
   * windows of channels are an average pool over the axis.
   */
  private static void localResponse(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String x = node.inputs().get(0);
    String g = flow.gradient();
    long size = node.number("size", 1);
    double alpha = node.real("alpha", 1e-4);
    double beta = node.real("beta", 0.75);
    long before = (size - 1) / 2;
    long after = size - 1 - before;
    String window = windowSum(b, x, b.mul(x, x), size, before, after);
    String s = b.add(b.mul(window, b.real(alpha / size, x)), b.real(node.real("bias", 1), x));
    String power = b.op("Pow", s, b.real(-beta, x));
    String through = b.div(b.mul(g, node.output()), s);
    String mirrored = windowSum(b, x, through, size, after, before);
    String direct = b.mul(g, power);
    String around = b.mul(b.mul(x, mirrored), b.real(2 * alpha * beta / size, x));
    flow.send(0, b.sub(direct, around));
  }

  private static String windowSum(
      Backward b, String x, String value, long size, long before, long after) {
    // [N,C,...] as [N,1,C,positions]: the window runs over the third axis.
    String image = b.reshape(value, b.concat(b.size(x, 0), b.longs(1), b.size(x, 1), b.longs(-1)));
    String mean =
        b.op(
            "AveragePool",
            List.of(image),
            Attribute.of("kernel_shape", new long[] {size, 1}),
            Attribute.of("pads", new long[] {before, 0, after, 0}),
            Attribute.of("count_include_pad", 1));
    return b.reshapeLike(b.mul(mean, b.real(size, x)), x);
  }
}
