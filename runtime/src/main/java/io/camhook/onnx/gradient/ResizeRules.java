package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Resize is linear and separable: resizing an identity matrix along an axis gives that axis's
 * matrix, and the gradient is multiplied by its transpose.
 */
final class ResizeRules {
  private ResizeRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("Resize", ResizeRules::resize);
  }

  private static void resize(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    if (node.text("coordinate_transformation_mode", "").equals("tf_crop_and_resize")
        || node.has("axes")
        || !node.text("keep_aspect_ratio_policy", "stretch").equals("stretch")) {
      throw Refusal.of(node, "crops, axes and kept aspect ratios are not written");
    }
    String x = node.inputs().get(0);
    int rank = b.rank(node, x);
    String out = flow.gradient();
    for (int axis = 2; axis < rank; axis++) {
      String matrix = matrix(b, node, axis);
      if (axis == rank - 1) {
        out = b.op("MatMul", out, b.transpose(matrix, 1, 0));
      } else if (axis == rank - 2) {
        out = b.op("MatMul", matrix, out);
      } else {
        long[] swap = LongStream.range(0, rank).toArray();
        swap[axis] = rank - 2;
        swap[rank - 2] = axis;
        out = b.transpose(b.op("MatMul", matrix, b.transpose(out, swap)), swap);
      }
    }
    flow.send(0, out);
  }

  /** [in, out] of one axis. */
  private static String matrix(Backward b, Node node, int axis) throws OnnxException {
    String x = node.inputs().get(0);
    Attribute[] attributes = node.attributes().toArray(new Attribute[0]);
    String size = b.size(x, axis);
    String range = b.op("Range", b.scalar(0), b.op("Squeeze", size), b.scalar(1));
    String same =
        b.op("Equal", b.op("Unsqueeze", range, b.longs(0)), b.op("Unsqueeze", range, b.longs(1)));
    String identity = b.op("Unsqueeze", b.cast(same, ElementType.FLOAT), b.longs(0, 1));
    String scales = node.input(2);
    TensorData constant = b.constantOf(scales);
    String resized;
    if (scales != null && (constant == null || constant.size() != 0)) {
      String ones = b.op("Cast", List.of(b.longs(1, 1, 1)), Attribute.of("to", 1));
      resized =
          b.op(
              "Resize",
              List.of(identity, "", b.concat(ones, b.part(scales, axis, axis + 1L))),
              attributes);
    } else {
      String sizes = b.concat(b.longs(1, 1), size, b.size(node.output(), axis));
      resized = b.op("Resize", List.of(identity, "", "", sizes), attributes);
    }
    String matrix = b.op("Squeeze", resized, b.longs(0, 1));
    return b.element(x) == ElementType.FLOAT ? matrix : b.cast(matrix, b.element(x));
  }
}
