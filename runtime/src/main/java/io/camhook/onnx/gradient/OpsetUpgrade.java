package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import java.util.ArrayList;
import java.util.List;

/**
 * Upgrades a model from operator sets 9–16 to 17, in which a backward pass can be written
 * (ScatterElements can add since 16). Only operators whose signature changed are rewritten; the
 * names of nodes and values stay, and weights are shared.
 */
public final class OpsetUpgrade {
  /** The oldest operator set that can be read. */
  public static final int OLDEST = 9;

  /** The newest operator set whose operators are known. */
  public static final int NEWEST = 23;

  private static final int TARGET = 17;

  private final int from;
  private int count;

  private OpsetUpgrade(int from) {
    this.from = from;
  }

  /**
   * The model in an operator set that a backward pass can be written in; the model itself if it is
   * already in one.
   *
   * @throws OnnxException if its operator set is not known here, or an operator cannot be rewritten
   */
  public static OnnxModel upgraded(OnnxModel model) throws OnnxException {
    int opset = model.opset();
    if (opset < OLDEST || opset > NEWEST) {
      throw new OnnxException(
          "operator set "
              + opset
              + ": "
              + OLDEST
              + " to "
              + NEWEST
              + " can be read; export the model again with opset_version=17");
    }
    if (opset >= TARGET) {
      return model;
    }
    OpsetUpgrade upgrade = new OpsetUpgrade(opset);
    return model.withGraph(upgrade.graph(model.graph())).withOpset(TARGET);
  }

  private Graph graph(Graph graph) throws OnnxException {
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      rewrite(node.graphs().isEmpty() ? node : inner(node), nodes);
    }
    return graph.with(nodes, graph.initializers(), graph.inputs(), graph.outputs());
  }

  private Node inner(Node node) throws OnnxException {
    List<Attribute> attributes = new ArrayList<>();
    for (Attribute attribute : node.attributes()) {
      Graph graph = attribute.graph();
      attributes.add(graph == null ? attribute : Attribute.of(attribute.name(), graph(graph)));
    }
    return node.with(node.operator(), node.inputs(), attributes);
  }

  private void rewrite(Node node, List<Node> nodes) throws OnnxException {
    if (!node.isStandard()) {
      nodes.add(node);
      return;
    }
    switch (node.operator()) {
      case "Squeeze", "Unsqueeze", "ReduceSum" ->
          nodes.add(attributeToInput(node, nodes, 13, "axes"));
      case "Split" -> nodes.add(attributeToInput(node, nodes, 13, "split"));
      case "Clip" -> nodes.add(from < 11 ? clip(node, nodes) : node);
      case "Pad" -> nodes.add(from < 11 ? pad(node, nodes) : node);
      case "Slice" -> nodes.add(from < 10 ? slice(node, nodes) : node);
      case "TopK" -> nodes.add(from < 10 ? attributeToInput(node, nodes, 10, "k") : node);
      case "Dropout" -> nodes.add(from < 12 ? without(node, node.inputs(), "ratio") : node);
      case "Upsample" -> nodes.add(upsample(node, nodes));
      case "Resize" -> nodes.add(from < 11 ? upsample(node, nodes) : node);
      case "Softmax", "LogSoftmax", "Hardmax" -> softmax(node, nodes);
      case "BatchNormalization" -> nodes.add(without(node, node.inputs(), "spatial"));
      case "RoiAlign" -> nodes.add(roiAlign(node));
      default -> nodes.add(node);
    }
  }

  private String constant(List<Node> nodes, TensorData value) {
    String name = "camhook/opset_" + count++;
    nodes.add(
        Node.of("Constant", name, List.of(), List.of(name), List.of(Attribute.of("value", value))));
    return name;
  }

  private String longs(List<Node> nodes, long... values) {
    return constant(nodes, TensorData.of("", new long[] {values.length}, values));
  }

  private String real(List<Node> nodes, double value) {
    return constant(nodes, TensorData.of("", ElementType.FLOAT, new long[0], value));
  }

  private static Node without(Node node, List<String> inputs, String... attributes) {
    return node.with(node.operator(), inputs, Geometry.without(node, attributes));
  }

  private Node attributeToInput(Node node, List<Node> nodes, int since, String attribute)
      throws OnnxException {
    if (from >= since || !node.has(attribute)) {
      return node;
    }
    long[] values = node.numbers(attribute);
    if (attribute.equals("k")) {
      values = new long[] {node.number("k", 1)};
    }
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.add(longs(nodes, values == null ? new long[0] : values));
    return without(node, inputs, attribute);
  }

  private Node clip(Node node, List<Node> nodes) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.add(real(nodes, node.real("min", -Float.MAX_VALUE)));
    inputs.add(real(nodes, node.real("max", Float.MAX_VALUE)));
    return without(node, inputs, "min", "max");
  }

  private Node pad(Node node, List<Node> nodes) throws OnnxException {
    long[] pads = node.numbers("pads");
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.add(longs(nodes, pads == null ? new long[0] : pads));
    inputs.add(real(nodes, node.real("value", 0)));
    return without(node, inputs, "pads", "value");
  }

  private Node slice(Node node, List<Node> nodes) throws OnnxException {
    List<String> inputs = new ArrayList<>(node.inputs());
    for (String attribute : List.of("starts", "ends", "axes")) {
      long[] values = node.numbers(attribute);
      if (values != null) {
        inputs.add(longs(nodes, values));
      }
    }
    return without(node, inputs, "starts", "ends", "axes");
  }

  /**
   * Upsample, and Resize of operator set 10: pixel coordinates count from the corners and are
   * rounded down.
   */
  private Node upsample(Node node, List<Node> nodes) throws OnnxException {
    List<String> inputs = new ArrayList<>(List.of(node.inputs().get(0), ""));
    if (node.inputs().size() > 1) {
      inputs.add(node.inputs().get(1));
    } else {
      Attribute scales = node.attribute("scales");
      float[] values = scales == null ? new float[0] : scales.reals();
      double[] wide = new double[values.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = values[i];
      }
      inputs.add(
          constant(nodes, TensorData.of("", ElementType.FLOAT, new long[] {wide.length}, wide)));
    }
    List<Attribute> attributes = new ArrayList<>(Geometry.without(node, "scales"));
    attributes.add(Attribute.of("coordinate_transformation_mode", "asymmetric"));
    attributes.add(Attribute.of("nearest_mode", "floor"));
    return node.with("Resize", inputs, attributes);
  }

  /** Before operator set 13 the input is taken as a matrix, whose columns begin at the axis. */
  private void softmax(Node node, List<Node> nodes) {
    if (from >= 13) {
      nodes.add(node);
      return;
    }
    long axis = node.number("axis", 1);
    Attribute last = Attribute.of("axis", -1);
    List<Attribute> attributes = new ArrayList<>(Geometry.without(node, "axis"));
    attributes.add(last);
    if (axis == -1) {
      nodes.add(node.with(node.operator(), node.inputs(), attributes));
      return;
    }
    String x = node.inputs().get(0);
    String base = "camhook/opset_" + count++;
    nodes.add(
        Node.of(
            "Flatten",
            base + "/matrix",
            List.of(x),
            List.of(base + "/matrix"),
            List.of(Attribute.of("axis", axis))));
    nodes.add(Node.of("Shape", base + "/shape", List.of(x), List.of(base + "/shape"), List.of()));
    nodes.add(
        node.with(node.operator(), List.of(base + "/matrix"), attributes)
            .withOutputs(List.of(base + "/rows")));
    nodes.add(
        Node.of(
            "Reshape",
            base + "/reshape",
            List.of(base + "/rows", base + "/shape"),
            List.of(node.output()),
            List.of()));
  }

  private static Node roiAlign(Node node) {
    List<Attribute> attributes =
        new ArrayList<>(Geometry.without(node, "coordinate_transformation_mode"));
    attributes.add(Attribute.of("coordinate_transformation_mode", "output_half_pixel"));
    return node.with(node.operator(), node.inputs(), attributes);
  }
}
