package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Distinguishes the ways of writing a ReLU, max(x, 0), in TorchScript from other operators. */
public final class Rectifier {
  private static final Set<String> RELU = Set.of("torch.relu", "torch.relu_");
  private static final Set<String> AT_LEAST = Set.of("torch.clamp_min", "torch.clamp_min_");
  private static final Set<String> CLAMP = Set.of("torch.clamp", "torch.clamp_");
  private static final Set<String> THRESHOLD = Set.of("torch.threshold", "torch.threshold_");

  /** Without the underscore of in-place operators. */
  private static final Set<String> OTHERS =
      Set.of(
          "torch.celu",
          "torch.clamp",
          "torch.clamp_min",
          "torch.elu",
          "torch.gelu",
          "torch.hardswish",
          "torch.hardtanh",
          "torch.leaky_relu",
          "torch.mish",
          "torch.prelu",
          "torch.relu6",
          "torch.rrelu",
          "torch.selu",
          "torch.silu",
          "torch.softplus",
          "torch.threshold");

  private Rectifier() {}

  /**
   * Whether the call is a ReLU: {@code relu}, {@code clamp_min} and {@code clamp} at 0 without an
   * upper bound, {@code threshold} of 0 at 0.
   */
  public static boolean isRelu(Expr.Call call) {
    String name = Literals.dotted(call.function());
    List<Expr.Argument> arguments = call.arguments();
    int given = arguments.size();
    if (name == null) {
      return false;
    }
    return RELU.contains(name)
        || (AT_LEAST.contains(name) && given == 2 && isZero(arguments.get(1)))
        || (CLAMP.contains(name)
            && (given == 2 || (given == 3 && isNone(arguments.get(2))))
            && isZero(arguments.get(1)))
        || (THRESHOLD.contains(name)
            && given == 3
            && isZero(arguments.get(1))
            && isZero(arguments.get(2)));
  }

  /** The name of the activation function if the call is one other than ReLU; otherwise null. */
  public static @Nullable String other(Expr.Call call) {
    String name = Literals.dotted(call.function());
    if (name == null || isRelu(call)) {
      return null;
    }
    String plain = name.endsWith("_") ? name.substring(0, name.length() - 1) : name;
    return OTHERS.contains(plain) ? plain.substring("torch.".length()) : null;
  }

  private static boolean isZero(Expr.Argument argument) {
    boolean upper = "max".equals(argument.name());
    return !upper && argument.value() instanceof Expr.Num number && zero(number.text());
  }

  private static boolean zero(String number) {
    return number.matches("0+(\\.0*)?(e[+-]?\\d+)?|\\.0+");
  }

  private static boolean isNone(Expr.Argument argument) {
    return argument.value() instanceof Expr.Name name && name.id().equals("None");
  }
}
