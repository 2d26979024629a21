package io.camhook.torchscript.twin;

import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Literals;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceTree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes the TorchScript functions that record a value: one for a tensor, and one for each type of
 * module result that contains tensors at any level. They are free functions in a separate module,
 * so no class of the model changes.
 *
 * <p>A tap appends the value to {@code taps} and its label to {@code labels}: the number of the
 * call site, then {@code .key} for each level of tuple, list or dict; {@code !} after the number
 * marks the beginning of a call with such a result.
 */
public final class TapFunctions {

  private final SourceTree sources;
  private final String module;
  private final TapStyle style;
  private final Map<String, String> byType = new LinkedHashMap<>();
  private final StringBuilder text = new StringBuilder();

  /**
   * Starts with the function for a tensor.
   *
   * @param module qualified name of the module to write, {@code __torch__.camhook_taps}
   */
  TapFunctions(SourceTree sources, String module, TapStyle style) {
    this.sources = sources;
    this.module = module;
    this.style = style;
    text.append(style.tensor());
    byType.put("Tensor", "tensor");
  }

  public String module() {
    return module;
  }

  /** The source written so far. */
  public String source() {
    return text.toString();
  }

  /** The function that ends a pass with gradients, by qualified name. */
  String gradients() {
    if (byType.putIfAbsent("gradients of a result", GradientFunction.NAME) == null) {
      text.append(GradientFunction.text(module));
    }
    return module + "." + GradientFunction.NAME;
  }

  /**
   * The function that records a module result of this type, by qualified name; null if the type has
   * no tensors in it.
   */
  @Nullable String forCall(Expr type) {
    String element = forType(type, 0);
    if (element == null) {
      return null;
    }
    if (element.equals("tensor")) {
      return module + ".tensor";
    }
    String typeText = Printer.print(type);
    String name = "call" + element.substring("value".length());
    if (byType.putIfAbsent("call " + typeText, name) == null) {
      if (style == TapStyle.CUT) {
        begin(name, typeText)
            .append("  _0 = torch.append(labels, torch.add(at, \"!\"))\n  return ")
            .append(use(element, "x", "at"))
            .append('\n');
      } else {
        whereWanted(name, typeText, "    y = " + use(element, "x", "at") + "\n");
      }
    }
    return module + "." + name;
  }

  /**
   * The function that records an argument of a module, by qualified name; null if the type has no
   * tensors in it. Like PyTorch's backward hooks, it looks for a gradient only at arguments that
   * are tensors; a list or dict reaches the module as the caller's own object.
   */
  @Nullable String forArgument(Expr type) {
    String element = forType(type, 0);
    if (element == null || element.equals("tensor")) {
      return element == null ? null : module + ".tensor";
    }
    String typeText = Printer.print(type);
    if (typeText.equals("Optional[Tensor]")) {
      return forCall(type);
    }
    String name = "argument" + element.substring("value".length());
    if (byType.putIfAbsent("argument " + typeText, name) == null) {
      String values = module + "." + element + "(x, taps, labels, at, mode, 1, )";
      whereWanted(name, typeText, "    _1 = " + values + "\n    y = x\n");
    }
    return module + "." + name;
  }

  /**
   * The qualified name of the function in which a pass stops with values of these types and
   * continues with the answer. It takes the values, the arguments of {@link TapStyle#STOP}, the
   * number of the stop, and whether any hook waits for it (0: none).
   *
   * @param together whether it returns a tuple of the values; otherwise there is a single one
   */
  String forStop(List<Expr> types, boolean together) {
    List<@Nullable String> elements = new ArrayList<>();
    types.forEach(type -> elements.add(forType(type, 0)));
    List<String> names = types.stream().map(Printer::print).toList();
    String known = (together ? "stop of " : "stop of one ") + String.join(", ", names);
    String name = byType.get(known);
    if (name == null) {
      name = "stop" + byType.size();
      byType.put(known, name);
      stop(name, names, elements, together);
    }
    return module + "." + name;
  }

  private void stop(
      String name, List<String> types, List<@Nullable String> elements, boolean together) {
    StringBuilder record = new StringBuilder();
    StringBuilder take = new StringBuilder();
    StringBuilder results = new StringBuilder();
    text.append("def ").append(name).append('(');
    for (int i = 0; i < types.size(); i++) {
      text.append("x%d: %s,\n    ".formatted(i, types.get(i)));
    }
    text.append("taps: List[Tensor],\n    labels: List[str],\n    answers: List[Tensor],\n");
    text.append("    door: Tensor,\n    number: int,\n    wanted: int) -> ");
    text.append(together ? "Tuple[" + String.join(", ", types) + "]" : types.get(0)).append(":\n");
    for (int i = 0; i < types.size(); i++) {
      String element = elements.get(i);
      text.append("  y%d : %s = x%d\n".formatted(i, types.get(i), i));
      results.append("y").append(i).append(together ? ", " : "");
      if (element != null) {
        String value =
            "%s.%s(x%d, taps, labels, \"%d\", %%d, answers, )\n".formatted(module, element, i, i);
        record.append("    _r%d = ".formatted(i)).append(value.formatted(0));
        take.append("      y%d = ".formatted(i)).append(value.formatted(1));
      }
    }
    text.append("  if torch.ne(wanted, 0):\n");
    text.append("    torch.clear(taps)\n    torch.clear(labels)\n").append(record);
    text.append("    if ").append(module).append(".stop(door, number, ):\n").append(take);
    text.append("    else:\n      pass\n  else:\n    pass\n  return ");
    text.append(together ? "(" + results.toString().stripTrailing() + ")" : results).append('\n');
  }

  /** A function that marks the beginning and does {@code work}, or does nothing if not wanted. */
  private void whereWanted(String name, String type, String work) {
    begin(name, type)
        .append("  if torch.eq(wanted, 0):\n    y = x\n  else:\n")
        .append("    _0 = torch.append(labels, torch.add(at, \"!\"))\n")
        .append(work)
        .append("  return y\n");
  }

  private @Nullable String forType(Expr type, int depth) {
    String typeText = Printer.print(type);
    String known = byType.get(typeText);
    if (known != null || depth > 20) {
      return known;
    }
    if (type instanceof Expr.Index generic && generic.value() instanceof Expr.Name kind) {
      List<Expr> parts = generic.items();
      return switch (kind.id()) {
        case "Optional" -> optional(typeText, parts.get(0), depth);
        case "List" -> list(typeText, parts.get(0), depth);
        case "Dict" -> parts.size() == 2 ? dict(typeText, parts, depth) : null;
        case "Tuple" -> tuple(typeText, null, parts, positions(parts.size()), depth);
        default -> null;
      };
    }
    String name = Literals.dotted(type);
    SourceTree.ClassSource source = name == null ? null : sources.type(name);
    if (source != null && source.extendsType("NamedTuple")) {
      Map<String, Expr> fields = source.attributes();
      return tuple(
          typeText, name, List.copyOf(fields.values()), List.copyOf(fields.keySet()), depth);
    }
    return null;
  }

  private @Nullable String optional(String type, Expr inner, int depth) {
    String element = forType(inner, depth + 1);
    if (element == null) {
      return null;
    }
    String name = register(type);
    begin(name, type)
        .append("  if torch.__isnot__(x, None):\n    x0 = unchecked_cast(")
        .append(Printer.print(inner))
        .append(", x)\n    y : ")
        .append(type)
        .append(" = ")
        .append(use(element, "x0", "at"))
        .append("\n  else:\n    y = x\n  return y\n");
    return name;
  }

  private @Nullable String list(String type, Expr inner, int depth) {
    String element = forType(inner, depth + 1);
    if (element == null) {
      return null;
    }
    String name = register(type);
    begin(name, type)
        .append("  y = annotate(")
        .append(type)
        .append(", [])\n")
        .append("  for n in range(torch.len(x)):\n")
        .append("    key = torch.add(at, torch.format(\".{}\", n))\n")
        .append("    _0 = torch.append(y, ")
        .append(use(element, "x[n]", "key"))
        .append(")\n")
        .append("  return y\n");
    return name;
  }

  private @Nullable String dict(String type, List<Expr> parts, int depth) {
    String element = forType(parts.get(1), depth + 1);
    if (element == null) {
      return null;
    }
    String name = register(type);
    begin(name, type)
        .append("  y = annotate(")
        .append(type)
        .append(", {})\n")
        .append("  keys = torch.keys(x)\n")
        .append("  for n in range(torch.len(keys)):\n")
        .append("    key = torch.add(at, torch.format(\".{}\", keys[n]))\n")
        .append("    _0 = torch._set_item(y, keys[n], ")
        .append(use(element, "x[keys[n]]", "key"))
        .append(")\n")
        .append("  return y\n");
    return name;
  }

  private @Nullable String tuple(
      String type, @Nullable String constructor, List<Expr> parts, List<String> keys, int depth) {
    List<@Nullable String> elements = new ArrayList<>();
    for (Expr part : parts) {
      elements.add(forType(part, depth + 1));
    }
    if (elements.stream().allMatch(e -> e == null)) {
      return null;
    }
    String name = register(type);
    begin(name, type).append("  ");
    for (int i = 0; i < parts.size(); i++) {
      text.append("x").append(i).append(", ");
    }
    text.append("= x\n");
    StringBuilder results = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      String element = elements.get(i);
      String value = "x" + i;
      if (element != null) {
        text.append("  y").append(i).append(" = ");
        text.append(use(element, value, "torch.add(at, \"." + keys.get(i) + "\")")).append('\n');
        value = "y" + i;
      }
      results.append(value).append(i + 1 < parts.size() || parts.size() == 1 ? ", " : "");
    }
    text.append("  return ").append(constructor == null ? "" : constructor);
    text.append('(').append(results.toString().stripTrailing()).append(")\n");
    return name;
  }

  private static List<String> positions(int size) {
    return IntStream.range(0, size).mapToObj(Integer::toString).toList();
  }

  private String register(String type) {
    String name = "value" + byType.size();
    byType.put(type, name);
    return name;
  }

  private StringBuilder begin(String name, String type) {
    return text.append("def ")
        .append(name)
        .append("(x: ")
        .append(type)
        .append(",\n")
        .append(style.parameters())
        .append(type)
        .append(":\n");
  }

  private String use(String function, String value, String at) {
    return module
        + "."
        + function
        + "("
        + value
        + ", taps, labels, "
        + at
        + ", mode, "
        + style.last()
        + ", )";
  }
}
