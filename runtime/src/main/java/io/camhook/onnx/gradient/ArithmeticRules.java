package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Arithmetic, element by element, with broadcasting. */
final class ArithmeticRules {
  private ArithmeticRules() {}

  static void addTo(Map<String, Rule> rules) {
    Rule identity = (b, n, f) -> f.send(0, f.gradient());
    rules.put("Identity", identity);
    rules.put("Dropout", identity);
    Rule cast = (b, n, f) -> f.send(0, b.cast(f.gradient(), b.element(n.inputs().get(0))));
    rules.put("Cast", cast);
    rules.put("CastLike", cast);
    rules.put("Neg", (b, n, f) -> f.send(0, b.neg(f.gradient())));
    rules.put("Exp", (b, n, f) -> f.send(0, b.mul(f.gradient(), n.output())));
    rules.put("Log", (b, n, f) -> f.send(0, b.div(f.gradient(), n.inputs().get(0))));
    rules.put("Abs", (b, n, f) -> f.send(0, b.mul(f.gradient(), b.op("Sign", n.inputs().get(0)))));
    rules.put("Sqrt", ArithmeticRules::sqrt);
    rules.put("Reciprocal", ArithmeticRules::reciprocal);
    rules.put("Erf", ArithmeticRules::erf);
    rules.put("Sin", (b, n, f) -> f.send(0, b.mul(f.gradient(), b.op("Cos", n.inputs().get(0)))));
    rules.put(
        "Cos", (b, n, f) -> f.send(0, b.neg(b.mul(f.gradient(), b.op("Sin", n.inputs().get(0))))));
    rules.put("Add", ArithmeticRules::sum);
    rules.put("Sum", ArithmeticRules::sum);
    rules.put("Mean", ArithmeticRules::mean);
    rules.put("Sub", ArithmeticRules::sub);
    rules.put("Mul", ArithmeticRules::mul);
    rules.put("Div", ArithmeticRules::div);
    rules.put("Pow", ArithmeticRules::pow);
    rules.put("Where", ArithmeticRules::where);
    rules.put("Max", ArithmeticRules::extreme);
    rules.put("Min", ArithmeticRules::extreme);
  }

  private static void sqrt(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    flow.send(0, b.div(b.mul(flow.gradient(), b.real(0.5, y)), y));
  }

  private static void reciprocal(Backward b, Node node, OperatorBackward flow)
      throws OnnxException {
    String y = node.output();
    flow.send(0, b.neg(b.mul(flow.gradient(), b.mul(y, y))));
  }

  private static void erf(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String density = b.op("Exp", b.neg(b.mul(x, x)));
    flow.send(0, b.mul(flow.gradient(), b.mul(b.real(2 / Math.sqrt(Math.PI), x), density)));
  }

  private static void sum(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    toAll(b, node, flow, flow.gradient());
  }

  private static void mean(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String share = b.real(1.0 / node.inputs().size(), node.output());
    toAll(b, node, flow, b.mul(flow.gradient(), share));
  }

  private static void toAll(Backward b, Node node, OperatorBackward flow, String gradient) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (flow.needs(i)) {
        flow.send(i, b.unbroadcast(gradient, node.output(), node.inputs().get(i)));
      }
    }
  }

  private static void sub(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String g = flow.gradient();
    if (flow.needs(0)) {
      flow.send(0, b.unbroadcast(g, node.output(), node.inputs().get(0)));
    }
    if (flow.needs(1)) {
      flow.send(1, b.unbroadcast(b.neg(g), node.output(), node.inputs().get(1)));
    }
  }

  private static void mul(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String g = flow.gradient();
    for (int i = 0; i < 2; i++) {
      if (flow.needs(i)) {
        String product = b.mul(g, node.inputs().get(1 - i));
        flow.send(i, b.unbroadcast(product, node.output(), node.inputs().get(i)));
      }
    }
  }

  private static void div(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    String divisor = node.inputs().get(1);
    String quotient = b.div(flow.gradient(), divisor);
    if (flow.needs(0)) {
      flow.send(0, b.unbroadcast(quotient, y, node.inputs().get(0)));
    }
    if (flow.needs(1)) {
      flow.send(1, b.unbroadcast(b.neg(b.mul(quotient, y)), y, divisor));
    }
  }

  private static void pow(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String x = node.inputs().get(0);
    String exponent = node.inputs().get(1);
    String y = node.output();
    String g = flow.gradient();
    if (flow.needs(0)) {
      TensorData constant = b.constantOf(exponent);
      String slope;
      if (constant != null && constant.size() == 1) {
        double p = constant.reals()[0];
        String power = p == 2 ? x : b.op("Pow", x, b.real(p - 1, x));
        slope = b.mul(power, b.real(p, x));
      } else {
        String p = b.cast(exponent, b.element(x));
        slope = b.mul(b.op("Pow", x, b.sub(p, b.real(1, x))), p);
      }
      flow.send(0, b.unbroadcast(b.mul(g, slope), y, x));
    }
    if (flow.needs(1)) {
      // Where the base is 0 the power is 0 or 1 whatever the exponent: its slope is 0 (PyTorch).
      String positive = b.op("Greater", x, b.real(0, x));
      String log = b.op("Log", b.op("Where", positive, x, b.real(1, x)));
      flow.send(1, b.unbroadcast(b.mul(g, b.mul(y, log)), y, exponent));
    }
  }

  private static void where(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String condition = node.inputs().get(0);
    String y = node.output();
    String g = flow.gradient();
    if (flow.needs(1)) {
      String taken = b.op("Where", condition, g, b.real(0, y));
      flow.send(1, b.unbroadcast(taken, y, node.inputs().get(1)));
    }
    if (flow.needs(2)) {
      String taken = b.op("Where", condition, b.real(0, y), g);
      flow.send(2, b.unbroadcast(taken, y, node.inputs().get(2)));
    }
  }

  /** Inputs that share the extreme value share the gradient (PyTorch's rule for maximum). */
  private static void extreme(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    String y = node.output();
    List<String> winners = new ArrayList<>();
    for (String input : node.inputs()) {
      winners.add(b.cast(b.op("Equal", input, y), b.element(y)));
    }
    String count = winners.size() == 1 ? winners.get(0) : b.op("Sum", winners);
    String share = b.div(flow.gradient(), count);
    for (int i = 0; i < winners.size(); i++) {
      if (flow.needs(i)) {
        flow.send(i, b.unbroadcast(b.mul(share, winners.get(i)), y, node.inputs().get(i)));
      }
    }
  }
}
