package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Matrix products. */
final class LinearRules {
  private LinearRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("Gemm", LinearRules::gemm);
    rules.put("MatMul", LinearRules::matMul);
    rules.put("Einsum", LinearRules::einsum);
  }

  /** {@code Y = alpha·A'·B' + beta·C}, where ' transposes if the attribute is set. */
  private static void gemm(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String g = flow.gradient();
    String first = node.inputs().get(0);
    String second = node.inputs().get(1);
    long transA = node.number("transA", 0);
    long transB = node.number("transB", 0);
    Attribute alpha = Attribute.of("alpha", (float) node.real("alpha", 1));
    if (flow.needs(0)) {
      flow.send(
          0,
          transA == 0
              ? product(b, g, second, alpha, 0, 1 - transB)
              : product(b, second, g, alpha, transB, 1));
    }
    if (flow.needs(1)) {
      flow.send(
          1,
          transB == 0
              ? product(b, first, g, alpha, 1 - transA, 0)
              : product(b, g, first, alpha, 1, transA));
    }
    if (flow.needs(2)) {
      double beta = node.real("beta", 1);
      String scaled = beta == 1 ? g : b.mul(g, b.real(beta, node.output()));
      flow.send(2, b.unbroadcast(scaled, node.output(), node.inputs().get(2)));
    }
  }

  private static String product(
      Backward b, String left, String right, Attribute alpha, long transLeft, long transRight) {
    return b.op(
        "Gemm",
        List.of(left, right),
        alpha,
        Attribute.of("transA", transLeft),
        Attribute.of("transB", transRight));
  }

  private static void matMul(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String left = node.inputs().get(0);
    String right = node.inputs().get(1);
    if (b.rank(node, left) == 1 || b.rank(node, right) == 1) {
      vectors(b, node, flow);
      return;
    }
    String g = flow.gradient();
    if (flow.needs(0)) {
      String product = b.op("MatMul", g, transposed(b, node, right));
      flow.send(0, summed(b, node, product, left, right));
    }
    if (flow.needs(1)) {
      String product = b.op("MatMul", transposed(b, node, left), g);
      flow.send(1, summed(b, node, product, right, left));
    }
  }

  private static String transposed(Backward b, Node node, String matrix) throws OnnxException {
    int rank = b.rank(node, matrix);
    long[] permutation = LongStream.range(0, rank).toArray();
    permutation[rank - 1] = rank - 2;
    permutation[rank - 2] = rank - 1;
    return b.transpose(matrix, permutation);
  }

  /** Sums over the batch dimensions that broadcasting gave an operand. */
  private static String summed(Backward b, Node node, String product, String operand, String other)
      throws OnnxException {
    List<Dimension> own = b.dimensions(operand);
    List<Dimension> result = b.dimensions(node.output());
    if (own == null || result == null) {
      throw Refusal.of(node, "the dimensions of its operands are not known");
    }
    if (own.size() == result.size() && b.rank(node, other) == 2) {
      return product;
    }
    List<Dimension> shape = new ArrayList<>(result.subList(0, result.size() - 2));
    shape.addAll(own.subList(own.size() - 2, own.size()));
    b.declare(product, new TensorType(b.element(node.output()), shape));
    return b.unbroadcast(product, product, operand);
  }

  /** Vectors are matrices of one row or column. */
  private static void vectors(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String left = node.inputs().get(0);
    String right = node.inputs().get(1);
    int leftRank = b.rank(node, left);
    int rightRank = b.rank(node, right);
    if (leftRank > 2 || rightRank > 2) {
      throw Refusal.of(node, "a vector times a batch of matrices is not written");
    }
    String a = leftRank == 1 ? b.reshape(left, b.longs(1, -1)) : left;
    String c = rightRank == 1 ? b.reshape(right, b.longs(-1, 1)) : right;
    String rows = leftRank == 1 ? b.longs(1) : b.size(left, 0);
    String columns = rightRank == 1 ? b.longs(1) : b.size(right, 1);
    String g = b.reshape(flow.gradient(), b.concat(rows, columns));
    if (flow.needs(0)) {
      flow.send(0, b.reshapeLike(b.op("MatMul", g, b.transpose(c, 1, 0)), left));
    }
    if (flow.needs(1)) {
      flow.send(1, b.reshapeLike(b.op("MatMul", b.transpose(a, 1, 0), g), right));
    }
  }

  private static void einsum(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String equation = node.text("equation", "").replace(" ", "");
    String[] sides = equation.split("->", -1);
    String[] terms = sides[0].split(",", -1);
    if (sides.length != 2 || equation.contains(".") || terms.length != node.inputs().size()) {
      throw Refusal.of(node, "equation " + equation + " is not written");
    }
    for (int i = 0; i < terms.length; i++) {
      if (!flow.needs(i)) {
        continue;
      }
      String own = terms[i];
      List<String> inputs = new ArrayList<>(List.of(flow.gradient()));
      StringBuilder letters = new StringBuilder(sides[1]);
      StringBuilder left = new StringBuilder(sides[1]);
      for (int k = 0; k < terms.length; k++) {
        if (k != i) {
          inputs.add(node.inputs().get(k));
          left.append(',').append(terms[k]);
          letters.append(terms[k]);
        }
      }
      boolean repeats = own.chars().distinct().count() != own.length();
      boolean summedAlone =
          own.chars().anyMatch(c -> letters.indexOf(String.valueOf((char) c)) < 0);
      if (repeats || summedAlone) {
        throw Refusal.of(
            node,
            "equation "
                + equation
                + " is not written: "
                + own.chars().mapToObj(c -> String.valueOf((char) c)).collect(Collectors.joining())
                + (repeats ? " repeats a letter" : " has a letter of its own"));
      }
      flow.send(i, b.op("Einsum", inputs, Attribute.of("equation", left + "->" + own)));
    }
  }
}
