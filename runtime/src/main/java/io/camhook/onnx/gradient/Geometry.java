package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * How the window of a convolution or pool moves over its input.
 *
 * @param pads before each spatial axis, then after each
 * @param same whether the pads follow from the input's size; {@code pads} is then unused
 * @param lower whether the larger half of an odd padding comes before the input
 */
record Geometry(
    long[] kernel,
    long[] strides,
    long[] dilations,
    long[] pads,
    boolean same,
    boolean lower,
    long group,
    boolean ceil) {

  static Geometry of(Node node, long[] kernel) throws OnnxException {
    int axes = kernel.length;
    String auto = node.text("auto_pad", "NOTSET");
    boolean same = auto.startsWith("SAME");
    long[] pads = node.numbers("pads");
    return new Geometry(
        kernel,
        or(node.numbers("strides"), axes, 1),
        or(node.numbers("dilations"), axes, 1),
        same || auto.equals("VALID") ? new long[2 * axes] : or(pads, 2 * axes, 0),
        same,
        auto.equals("SAME_LOWER"),
        node.number("group", 1),
        node.number("ceil_mode", 0) != 0);
  }

  private static long[] or(long @org.jspecify.annotations.Nullable [] values, int n, long other) {
    if (values != null && values.length > 0) {
      return values;
    }
    long[] all = new long[n];
    Arrays.fill(all, other);
    return all;
  }

  int axes() {
    return kernel.length;
  }

  /** What the window spans on an axis. */
  long extent(int axis) {
    return (kernel[axis] - 1) * dilations[axis] + 1;
  }

  boolean padded() {
    return same || Arrays.stream(pads).anyMatch(p -> p != 0);
  }

  long[] before() {
    return Arrays.copyOf(pads, axes());
  }

  private Attribute[] attributes(long[] pads, long[] outputPadding) {
    return new Attribute[] {
      Attribute.of("kernel_shape", kernel),
      Attribute.of("strides", strides),
      Attribute.of("dilations", dilations),
      Attribute.of("group", group),
      Attribute.of("pads", pads),
      Attribute.of("output_padding", outputPadding)
    };
  }

  /**
   * Puts what arrived at each window back where the window was: a transposed convolution with the
   * same weight, with the spatial size of {@code x}. On an axis of input size in, output size o,
   * stride s, extent e and begin pad b, the windows reach {@code (o - 1)·s + e - b}; what they
   * reach beyond in is cut off (pad at the end), what they do not reach is 0 (output padding).
   */
  String back(Backward b, String gradient, String weight, String x, String y) {
    List<Dimension> in = b.dimensions(x);
    List<Dimension> out = b.dimensions(y);
    if (in != null && out != null && spatial(in) && spatial(out)) {
      long[] begin = new long[axes()];
      long[] over = new long[axes()];
      boolean fits = true;
      for (int i = 0; i < axes(); i++) {
        long size = in.get(i + 2).size();
        long reach = (out.get(i + 2).size() - 1) * strides[i] + extent(i);
        long total = Math.max(0, reach - size);
        begin[i] = same ? (lower ? (total + 1) / 2 : total / 2) : pads[i];
        over[i] = reach - begin[i] - size;
        fits &= over[i] >= 0 || -over[i] < Math.max(strides[i], dilations[i]);
      }
      if (fits) {
        long[] all = new long[2 * axes()];
        long[] missing = new long[axes()];
        for (int i = 0; i < axes(); i++) {
          all[i] = begin[i];
          all[i + axes()] = Math.max(0, over[i]);
          missing[i] = Math.max(0, -over[i]);
        }
        return b.op("ConvTranspose", List.of(gradient, weight), attributes(all, missing));
      }
    }
    if (!same && !ceil && Arrays.stream(strides).allMatch(s -> s == 1)) {
      return b.op("ConvTranspose", List.of(gradient, weight), attributes(pads, new long[axes()]));
    }
    long[] missing = Arrays.stream(strides).map(s -> s - 1).toArray();
    String size = b.sizes(x, 2, 2 + axes());
    String axesValue = b.longs(LongStream.range(2, 2L + axes()).toArray());
    long[] none = new long[2 * axes()];
    if (same) {
      String whole = b.op("ConvTranspose", List.of(gradient, weight), attributes(none, missing));
      String reach =
          b.add(
              b.mul(b.sub(b.sizes(y, 2, 2 + axes()), b.longs(1)), b.longs(strides)),
              b.longs(LongStream.range(0, axes()).map(i -> extent((int) i)).toArray()));
      String total = b.op("Max", b.sub(reach, size), b.longs(0));
      String begin = b.div(lower ? b.add(total, b.longs(1)) : total, b.longs(2));
      return b.op("Slice", whole, begin, b.add(begin, size), axesValue);
    }
    long[] front = Arrays.copyOf(before(), 2 * axes());
    String whole = b.op("ConvTranspose", List.of(gradient, weight), attributes(front, missing));
    // If the windows miss the end by more than a stride, the rest is 0.
    String room = b.sub(size, b.part(b.op("Shape", whole), 2, 2L + axes()));
    String short_ = b.op("Max", room, b.longs(0));
    String zeros = b.longs(new long[axes() + 2]);
    String padded = b.op("Pad", whole, b.concat(zeros, b.longs(0, 0), short_), b.real(0, x));
    return b.op("Slice", padded, b.longs(new long[axes()]), size, axesValue);
  }

  private static boolean spatial(List<Dimension> dimensions) {
    return dimensions.stream().skip(2).allMatch(Dimension::isFixed);
  }

  static List<Attribute> without(Node node, String... names) {
    List<Attribute> kept = new ArrayList<>();
    for (Attribute attribute : node.attributes()) {
      if (!Arrays.asList(names).contains(attribute.name())) {
        kept.add(attribute);
      }
    }
    return kept;
  }
}
