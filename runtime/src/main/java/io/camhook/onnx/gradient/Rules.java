package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Node;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rule of each operator. */
final class Rules {
  private static final Map<String, Rule> RULES = rules();

  /**
   * Operators whose outputs do not change with small changes of their inputs: no gradient flows
   * back.
   */
  private static final Set<String> WITHOUT_GRADIENT =
      Set.of(
          "Shape",
          "Size",
          "ArgMax",
          "ArgMin",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "Not",
          "And",
          "Or",
          "Xor",
          "NonZero",
          "IsNaN",
          "IsInf",
          "ConstantOfShape",
          "Constant",
          "OneHot",
          "EyeLike",
          "Round",
          "Floor",
          "Ceil",
          "Sign",
          "NonMaxSuppression",
          "RandomNormalLike",
          "RandomUniformLike");

  private Rules() {}

  private static Map<String, Rule> rules() {
    Map<String, Rule> rules = new HashMap<>();
    ActivationRules.addTo(rules);
    ArithmeticRules.addTo(rules);
    ShapeRules.addTo(rules);
    ReductionRules.addTo(rules);
    NormRules.addTo(rules);
    LinearRules.addTo(rules);
    ConvolutionRules.addTo(rules);
    PoolRules.addTo(rules);
    ResizeRules.addTo(rules);
    RecurrentRules.addTo(rules);
    return Map.copyOf(rules);
  }

  static @Nullable Rule of(Node node) {
    return node.isStandard() ? RULES.get(node.operator()) : null;
  }

  static boolean isWithoutGradient(Node node) {
    return node.isStandard() && WITHOUT_GRADIENT.contains(node.operator());
  }
}
