package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Convolution and transposed convolution: the gradient of each is the other with the same weight.
 */
final class ConvolutionRules {
  private ConvolutionRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("Conv", ConvolutionRules::convolution);
    rules.put("ConvTranspose", ConvolutionRules::transposed);
  }

  private static long[] kernel(Backward b, Node node) throws OnnxException {
    long[] declared = node.numbers("kernel_shape");
    if (declared != null) {
      return declared;
    }
    List<Dimension> weight = b.dimensions(node.inputs().get(1));
    if (weight == null || !weight.stream().skip(2).allMatch(Dimension::isFixed)) {
      throw Refusal.of(node, "the size of its kernel is not known");
    }
    return weight.stream().skip(2).mapToLong(Dimension::size).toArray();
  }

  private static void convolution(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    flow.onlyBefore(1, "weight");
    Geometry geometry = Geometry.of(node, kernel(b, node));
    flow.send(
        0,
        geometry.back(
            b, flow.gradient(), node.inputs().get(1), node.inputs().get(0), node.output()));
  }

  private static void transposed(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    flow.onlyBefore(1, "weight");
    String x = node.inputs().get(0);
    Geometry geometry = Geometry.of(node, kernel(b, node));
    if (node.has("output_shape") || geometry.same()) {
      throw Refusal.of(node, "output_shape and auto_pad are not written");
    }
    int axes = geometry.axes();
    String whole =
        b.op(
            "Conv",
            List.of(flow.gradient(), node.inputs().get(1)),
            Attribute.of("kernel_shape", geometry.kernel()),
            Attribute.of("strides", geometry.strides()),
            Attribute.of("dilations", geometry.dilations()),
            Attribute.of("group", geometry.group()),
            Attribute.of("pads", geometry.pads()));
    long[] padding = node.numbers("output_padding");
    boolean more = false;
    for (int i = 0; padding != null && i < axes; i++) {
      more |= padding[i] >= geometry.strides()[i];
    }
    flow.send(
        0,
        more
            ? b.op(
                "Slice",
                whole,
                b.longs(new long[axes]),
                b.sizes(x, 2, 2 + axes),
                b.longs(LongStream.range(2, 2L + axes).toArray()))
            : whole);
  }

  /** Ones, or another constant, of the shape of a kernel of one channel. */
  static String filled(Backward b, long[] kernel, double value, String like) {
    long[] shape = new long[kernel.length + 2];
    shape[0] = 1;
    shape[1] = 1;
    System.arraycopy(kernel, 0, shape, 2, kernel.length);
    double[] values = new double[(int) Arrays.stream(kernel).reduce(1, (a, c) -> a * c)];
    Arrays.fill(values, value);
    return b.reals(shape, values, like);
  }
}
