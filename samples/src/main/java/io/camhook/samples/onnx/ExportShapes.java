package io.camhook.samples.onnx;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.samples.shapes.ShapesNet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * Writes the trained {@link ShapesNet} as an {@code .onnx} file: {@code ExportShapes FILE}. Its
 * input {@code picture [N, 3, height, width]} takes values in 0..255; the graph itself scales them
 * to −1..1. Its metadata holds the class names. The weights are those of {@code
 * shapes-0000.params}. {@code ExportShapes FILE detector} writes a detector in YOLOv8's format,
 * {@code [N, 4 + 7, 189]}, for pictures of 96 × 96: the last linear layer is applied to each cell
 * of the features, and of the features pooled by 2 and by 4; the boxes have a fixed size around
 * their cells.
 */
public final class ExportShapes {
  private static final int OPSET = 17;

  /** Side of the pictures that the detector takes, and cells of its features in a row. */
  private static final int SIDE = 96;

  private static final int CELLS = 12;

  /** Sides of the boxes at the three scales, in pixels. */
  private static final float[] BOX_SIZES = {44, 56, 72};

  /** An object fills only a part of the picture, so its cells have larger logits than the mean. */
  private static final float SHARE = 0.16f;

  /** The logit of a cell that shows an object with probability ½. */
  private static final float SURE = 5;

  private final List<Node> nodes = new ArrayList<>();
  private final List<TensorData> weights = new ArrayList<>();
  private String value = "picture";

  private ExportShapes() {}

  public static void main(String[] args) throws IOException, MalformedModelException {
    if (args.length != 1 && !(args.length == 2 && args[1].equals("detector"))) {
      System.err.println("usage: ExportShapes FILE [detector]");
      System.exit(2);
    }
    try (Model model = ShapesNet.load()) {
      Kind kind = args.length == 2 ? Kind.DETECTOR : Kind.CLASSIFIER;
      Files.write(Path.of(args[0]), export(model.getBlock(), kind));
    }
  }

  /** The file for a network of {@link ShapesNet} with weights. */
  static byte[] export(Block net, Kind kind) throws OnnxException {
    ExportShapes graph = new ExportShapes();
    Iterator<Block> blocks = net.getChildren().values().iterator();
    graph.scaled();
    graph.convolution("conv1", blocks.next(), 2);
    graph.convolution("conv2", blocks.next(), 1);
    blocks.next();
    graph.pooled("pool1");
    graph.convolution("conv3", blocks.next(), 1);
    blocks.next();
    graph.pooled("pool2");
    graph.convolution("conv4", blocks.next(), 1);
    graph.convolution("conv5", blocks.next(), 1);
    blocks.next();
    graph.smoothed("smooth");
    blocks.next();
    if (kind == Kind.DETECTOR) {
      blocks.next();
      return graph.detector(blocks.next()).toByteArray();
    }
    graph.node("GlobalAveragePool", "avgpool", List.of());
    blocks.next();
    graph.node("Flatten", "flatten", List.of());
    return graph.finished(blocks.next()).toByteArray();
  }

  /** The part after the features. */
  enum Kind {
    /** Logits of the whole picture. */
    CLASSIFIER,
    /** Boxes with class scores at three scales, as YOLOv8 gives them. */
    DETECTOR
  }

  private void node(String operator, String path, List<String> constants, Attribute... attributes) {
    List<String> inputs = new ArrayList<>(List.of(value));
    inputs.addAll(constants);
    String name = "/" + path + "/" + operator;
    value = name + "_output_0";
    nodes.add(Node.of(operator, name, inputs, List.of(value), Arrays.asList(attributes)));
  }

  private String weight(String name, long[] shape, float[] values) {
    double[] reals = new double[values.length];
    for (int i = 0; i < reals.length; i++) {
      reals[i] = values[i];
    }
    weights.add(TensorData.of(name, ElementType.FLOAT, shape, reals));
    return name;
  }

  private String weight(String name, Block block, String parameter) {
    Parameter found = block.getParameters().get(parameter);
    return weight(name, found.getArray().getShape().getShape(), found.getArray().toFloatArray());
  }

  /** Like {@code ShapesTranslator}: x / 255 to 0..1, then (x − ½) / ½. */
  private void scaled() {
    node("Mul", "scale", List.of(weight("scale", new long[0], new float[] {2 / 255f})));
    node("Sub", "shift", List.of(weight("shift", new long[0], new float[] {1})));
  }

  private void convolution(String path, Block block, int stride) {
    Iterator<Block> parts = block.getChildren().values().iterator();
    Block convolution = parts.next();
    String weight = weight(path + ".weight", convolution, "weight");
    long kernel = weights.get(weights.size() - 1).dimensions()[2];
    long pad = kernel / 2;
    node(
        "Conv",
        path,
        List.of(weight),
        Attribute.of("kernel_shape", new long[] {kernel, kernel}),
        Attribute.of("pads", new long[] {pad, pad, pad, pad}),
        Attribute.of("strides", new long[] {stride, stride}));
    BatchNorm norm = (BatchNorm) parts.next();
    String bn = path.replace("conv", "bn");
    node(
        "BatchNormalization",
        bn,
        List.of(
            weight(bn + ".weight", norm, "gamma"),
            weight(bn + ".bias", norm, "beta"),
            weight(bn + ".running_mean", norm, "runningMean"),
            weight(bn + ".running_var", norm, "runningVar")),
        Attribute.of("epsilon", 1e-5f));
    node("Relu", path.replace("conv", "relu"), List.of());
  }

  private void pooled(String path) {
    node(
        "MaxPool",
        path,
        List.of(),
        Attribute.of("kernel_shape", new long[] {2, 2}),
        Attribute.of("strides", new long[] {2, 2}));
  }

  /** DJL counts the padding, too. */
  private void smoothed(String path) {
    node(
        "AveragePool",
        path,
        List.of(),
        Attribute.of("kernel_shape", new long[] {3, 3}),
        Attribute.of("pads", new long[] {1, 1, 1, 1}),
        Attribute.of("strides", new long[] {1, 1}),
        Attribute.of("count_include_pad", 1L));
  }

  private OnnxModel detector(Block linear) {
    int classes = ShapesNet.classNames().size();
    String features = value;
    Parameter weight = linear.getParameters().get("weight");
    Parameter bias = linear.getParameters().get("bias");
    float[] rows = weight.getArray().toFloatArray();
    long width = rows.length / classes;
    for (int i = 0; i < rows.length; i++) {
      rows[i] *= SHARE;
    }
    String kernel = weight("head.weight", new long[] {classes, width, 1, 1}, rows);
    float[] shifted = bias.getArray().toFloatArray();
    for (int i = 0; i < shifted.length; i++) {
      shifted[i] = shifted[i] * SHARE - SURE;
    }
    String shift = weight("head.bias", new long[] {classes}, shifted);
    String none = weight("boxes.weight", new long[] {4, width, 1, 1}, new float[(int) (4 * width)]);
    weights.add(TensorData.of("rows", ElementType.INT64, new long[] {3}, 0, 4 + classes, -1));
    List<String> scales = new ArrayList<>();
    for (int scale = 0; scale < BOX_SIZES.length; scale++) {
      long step = 1L << scale;
      value = features;
      node(
          "AveragePool",
          "neck.p" + (3 + scale),
          List.of(),
          Attribute.of("kernel_shape", new long[] {step, step}),
          Attribute.of("strides", new long[] {step, step}));
      String pooled = value;
      node("Conv", "head." + scale + ".classes", List.of(kernel, shift));
      node("Sigmoid", "head." + scale + ".scores", List.of());
      String scores = value;
      value = pooled;
      node("Conv", "head." + scale + ".boxes", List.of(none));
      int cells = CELLS >> scale;
      long[] shape = {1, 4, cells, cells};
      node(
          "Add",
          "head." + scale + ".anchors",
          List.of(weight("anchors." + scale, shape, anchors(cells, BOX_SIZES[scale]))));
      node("Concat", "head." + scale, List.of(scores), Attribute.of("axis", 1L));
      node("Reshape", "head." + scale + ".rows", List.of("rows"));
      scales.add(value);
    }
    nodes.add(
        Node.of(
            "Concat",
            "/boxes/Concat",
            scales,
            List.of("boxes"),
            List.of(Attribute.of("axis", 2L))));
    int boxes = CELLS * CELLS + CELLS * CELLS / 4 + CELLS * CELLS / 16;
    TensorType found =
        new TensorType(
            ElementType.FLOAT,
            List.of(new Dimension(-1, "N"), Dimension.of(4 + classes), Dimension.of(boxes)));
    TensorType picture =
        new TensorType(
            ElementType.FLOAT,
            List.of(
                new Dimension(-1, "N"), Dimension.of(3), Dimension.of(SIDE), Dimension.of(SIDE)));
    return named(
        "shape-boxes",
        Graph.of(
            nodes,
            weights,
            List.of(ValueInfo.of("picture", picture)),
            List.of(ValueInfo.of("boxes", found))));
  }

  /** Centre and size of the box around each cell, in pixels: {@code [4, cells, cells]}. */
  private static float[] anchors(int cells, float size) {
    float[] anchors = new float[4 * cells * cells];
    float step = (float) SIDE / cells;
    for (int i = 0; i < cells * cells; i++) {
      anchors[i] = (i % cells + 0.5f) * step;
      anchors[cells * cells + i] = (i / cells + 0.5f) * step;
      anchors[2 * cells * cells + i] = size;
      anchors[3 * cells * cells + i] = size;
    }
    return anchors;
  }

  private OnnxModel finished(Block linear) {
    List<String> constants =
        List.of(weight("fc.weight", linear, "weight"), weight("fc.bias", linear, "bias"));
    nodes.add(
        Node.of(
            "Gemm",
            "/fc/Gemm",
            List.of(value, constants.get(0), constants.get(1)),
            List.of("logits"),
            List.of(Attribute.of("transB", 1L))));
    TensorType picture =
        new TensorType(
            ElementType.FLOAT,
            List.of(
                new Dimension(-1, "N"),
                Dimension.of(3),
                new Dimension(-1, "height"),
                new Dimension(-1, "width")));
    TensorType logits =
        new TensorType(
            ElementType.FLOAT,
            List.of(new Dimension(-1, "N"), Dimension.of(ShapesNet.classNames().size())));
    Graph graph =
        Graph.of(
            nodes,
            weights,
            List.of(ValueInfo.of("picture", picture)),
            List.of(ValueInfo.of("logits", logits)));
    return named(ShapesNet.NAME, graph);
  }

  /** With the names of the classes. */
  private static OnnxModel named(String name, Graph graph) {
    String names = String.join("\", \"", ShapesNet.classNames());
    return OnnxModel.of(graph.named(name), OPSET).withMetadata("names", "[\"" + names + "\"]");
  }
}
