package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import java.util.Map;

/**
 * Activation functions. If the derivative can be computed from the output, it is: the input may not
 * exist because the engine fuses the activation with the operator before it.
 */
final class ActivationRules {
  private ActivationRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("Relu", ActivationRules::relu);
    rules.put("LeakyRelu", ActivationRules::leakyRelu);
    rules.put("PRelu", ActivationRules::pRelu);
    rules.put("ThresholdedRelu", ActivationRules::thresholdedRelu);
    rules.put("Clip", ActivationRules::clip);
    rules.put("Sigmoid", ActivationRules::sigmoid);
    rules.put("Tanh", ActivationRules::tanh);
    rules.put("HardSigmoid", ActivationRules::hardSigmoid);
    rules.put("HardSwish", ActivationRules::hardSwish);
    rules.put("Swish", ActivationRules::swish);
    rules.put("Gelu", ActivationRules::gelu);
    rules.put("Elu", ActivationRules::elu);
    rules.put("Celu", ActivationRules::celu);
    rules.put("Selu", ActivationRules::selu);
    rules.put("Mish", ActivationRules::mish);
    rules.put("Softplus", (b, n, f) -> f.send(0, b.mul(f.gradient(), b.op("Sigmoid", in(n)))));
    rules.put("Softsign", ActivationRules::softsign);
  }

  private static String in(Node node) {
    return node.inputs().get(0);
  }

  private static void relu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String g = flow.gradient();
    String passed = b.where(b.op("Greater", y, b.real(0, y)), g, y);
    flow.send(0, b.guided() ? b.op("Relu", passed) : passed);
  }

  private static void leakyRelu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    double slope = node.real("alpha", 0.01);
    String sign = slope > 0 ? node.output() : in(node);
    String g = flow.gradient();
    flow.send(
        0,
        b.op(
            "Where",
            b.op("Greater", sign, b.real(0, sign)),
            g,
            b.mul(g, b.real(slope, node.output()))));
  }

  private static void pRelu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "slope");
    String x = in(node);
    String g = flow.gradient();
    flow.send(
        0, b.op("Where", b.op("Greater", x, b.real(0, x)), g, b.mul(g, node.inputs().get(1))));
  }

  private static void thresholdedRelu(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String x = in(node);
    String over = b.op("Greater", x, b.real(node.real("alpha", 1), x));
    flow.send(0, b.where(over, flow.gradient(), x));
  }

  private static void clip(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    flow.onlyBefore(1, "bounds");
    String y = node.output();
    String low = node.input(1);
    String high = node.input(2);
    String inside = low == null ? null : b.op("Greater", y, low);
    if (high != null) {
      String below = b.op("Less", y, high);
      inside = inside == null ? below : b.op("And", inside, below);
    }
    flow.send(0, inside == null ? flow.gradient() : b.where(inside, flow.gradient(), y));
  }

  private static void sigmoid(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    flow.send(0, b.mul(flow.gradient(), b.mul(y, b.sub(b.real(1, y), y))));
  }

  private static void tanh(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    flow.send(0, b.mul(flow.gradient(), b.sub(b.real(1, y), b.mul(y, y))));
  }

  private static void hardSigmoid(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String y = node.output();
    String inside = b.op("And", b.op("Greater", y, b.real(0, y)), b.op("Less", y, b.real(1, y)));
    double slope = node.real("alpha", 0.2);
    flow.send(0, b.where(inside, b.mul(flow.gradient(), b.real(slope, y)), y));
  }

  /** {@code x·relu6(x + 3)/6}: 0 up to -3, 1 from 3, x/3 + 1/2 between. */
  private static void hardSwish(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = in(node);
    String between = b.add(b.mul(x, b.real(1.0 / 3, x)), b.real(0.5, x));
    String upper = b.op("Where", b.op("Less", x, b.real(3, x)), between, b.real(1, x));
    String slope = b.where(b.op("Greater", x, b.real(-3, x)), upper, x);
    flow.send(0, b.mul(flow.gradient(), slope));
  }

  private static void swish(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = in(node);
    String alpha = b.real(node.real("alpha", 1), x);
    String sigmoid = b.op("Sigmoid", b.mul(x, alpha));
    String scaled = b.mul(node.output(), alpha);
    String slope = b.add(scaled, b.mul(sigmoid, b.sub(b.real(1, x), scaled)));
    flow.send(0, b.mul(flow.gradient(), slope));
  }

  private static void gelu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = in(node);
    String one = b.real(1, x);
    String half = b.real(0.5, x);
    String squared = b.mul(x, x);
    String slope;
    if (node.text("approximate", "none").equals("tanh")) {
      double k = Math.sqrt(2 / Math.PI);
      double cubic = 0.044715;
      String inner = b.mul(b.real(k, x), b.add(x, b.mul(b.real(cubic, x), b.mul(squared, x))));
      String tanh = b.op("Tanh", inner);
      String innerSlope = b.mul(b.real(k, x), b.add(one, b.mul(b.real(3 * cubic, x), squared)));
      String tanhSlope = b.mul(b.sub(one, b.mul(tanh, tanh)), innerSlope);
      slope = b.add(b.mul(half, b.add(one, tanh)), b.mul(b.mul(half, x), tanhSlope));
    } else {
      String erf = b.op("Erf", b.mul(x, b.real(1 / Math.sqrt(2), x)));
      String cumulative = b.mul(half, b.add(one, erf));
      String density =
          b.mul(
              b.real(1 / Math.sqrt(2 * Math.PI), x), b.op("Exp", b.mul(b.real(-0.5, x), squared)));
      slope = b.add(cumulative, b.mul(x, density));
    }
    flow.send(0, b.mul(flow.gradient(), slope));
  }

  private static void elu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String g = flow.gradient();
    String below = b.mul(g, b.add(y, b.real(node.real("alpha", 1), y)));
    flow.send(0, b.op("Where", b.op("Greater", y, b.real(0, y)), g, below));
  }

  /** Below 0: {@code alpha·(exp(x/alpha) - 1)}, of slope {@code y/alpha + 1}. */
  private static void celu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String g = flow.gradient();
    String slope = b.add(b.mul(y, b.real(1 / node.real("alpha", 1), y)), b.real(1, y));
    flow.send(0, b.op("Where", b.op("Greater", y, b.real(0, y)), g, b.mul(g, slope)));
  }

  /** Below 0: {@code gamma·(alpha·exp(x) - alpha)}, of slope {@code y + gamma·alpha}. */
  private static void selu(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String g = flow.gradient();
    double alpha = node.real("alpha", 1.6732632423543772);
    double gamma = node.real("gamma", 1.0507009873554805);
    String slope =
        b.op(
            "Where",
            b.op("Greater", y, b.real(0, y)),
            b.real(gamma, y),
            b.add(y, b.real(alpha * gamma, y)));
    flow.send(0, b.mul(g, slope));
  }

  private static void mish(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = in(node);
    String tanh = b.op("Tanh", b.op("Softplus", x));
    String sigmoid = b.op("Sigmoid", x);
    String slope = b.add(tanh, b.mul(b.mul(x, sigmoid), b.sub(b.real(1, x), b.mul(tanh, tanh))));
    flow.send(0, b.mul(flow.gradient(), slope));
  }

  private static void softsign(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = in(node);
    String root = b.add(b.real(1, x), b.op("Abs", x));
    flow.send(0, b.div(flow.gradient(), b.mul(root, root)));
  }
}
