package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which constants of a frozen archive are an operator's parameters: the {@code weight} and {@code
 * bias} of {@code torch.conv2d(x, CONSTANTS.c0, CONSTANTS.c1, …)}. In frozen archives no module
 * holds them any more.
 */
public final class OperatorWeights {
  private static final Pattern CONSTANT = Pattern.compile("CONSTANTS\\.c(\\d+)");

  private static final Pattern GETATTR = Pattern.compile("getattr\\(([\\w.]+), \"(\\w+)\"\\)");

  private static final List<String> SECOND = List.of("", "weight", "bias");
  private static final List<String> THIRD = List.of("", "", "weight", "bias");

  /** The names of the arguments by position, empty for those that are not parameters. */
  private static final Map<String, List<String>> ARGUMENTS =
      Map.ofEntries(
          Map.entry("linear", SECOND),
          Map.entry("conv1d", SECOND),
          Map.entry("conv2d", SECOND),
          Map.entry("conv3d", SECOND),
          Map.entry("conv_transpose1d", SECOND),
          Map.entry("conv_transpose2d", SECOND),
          Map.entry("conv_transpose3d", SECOND),
          Map.entry("prelu", SECOND),
          Map.entry("embedding", List.of("weight")),
          Map.entry("layer_norm", THIRD),
          Map.entry("group_norm", THIRD),
          Map.entry("batch_norm", List.of("", "weight", "bias", "running_mean", "running_var")),
          Map.entry("instance_norm", List.of("", "weight", "bias", "running_mean", "running_var")));

  private OperatorWeights() {}

  /** The archive's constants, by the name of the parameter. */
  public static Map<String, Integer> of(CallSite operator) {
    Map<String, Integer> constants = new LinkedHashMap<>();
    List<String> names = ARGUMENTS.getOrDefault(operator.operator(), List.of());
    List<Expr.Argument> given = operator.call().arguments();
    for (int i = 0; i < Math.min(names.size(), given.size()); i++) {
      Integer constant = constant(operator, given.get(i));
      if (!names.get(i).isEmpty() && constant != null) {
        constants.put(names.get(i), constant);
      }
    }
    return constants;
  }

  /**
   * For an inlined archive, whose modules still hold the parameters: the name of the parameter that
   * an operator gets as {@code parameter}, such as {@code fc.weight}; null if no module holds it.
   */
  public static @Nullable String heldAs(CallSite operator, String parameter) {
    int position = ARGUMENTS.getOrDefault(operator.operator(), List.of()).indexOf(parameter);
    List<Expr.Argument> given = operator.call().arguments();
    String text =
        position < 0 || position >= given.size()
            ? null
            : StateText.of(operator.caller().method(), given.get(position).value());
    String self = operator.caller().self() + ".";
    while (text != null && text.contains("getattr(")) {
      String dotted = GETATTR.matcher(text).replaceAll("$1.$2");
      if (dotted.equals(text)) {
        return null;
      }
      text = dotted;
    }
    return text != null && text.startsWith(self) ? text.substring(self.length()) : null;
  }

  private static @Nullable Integer constant(CallSite operator, Expr.Argument argument) {
    String text = StateText.of(operator.caller().method(), argument.value());
    Matcher matcher = CONSTANT.matcher(text == null ? "" : text);
    return matcher.matches() && matcher.group(1).length() < 7
        ? Integer.valueOf(matcher.group(1))
        : null;
  }
}
