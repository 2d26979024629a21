package io.camhook.torchscript.source;

import org.jspecify.annotations.Nullable;

/** String literals and dotted names of the TorchScript source language. */
public final class Literals {
  private Literals() {}

  /** The text that a literal stands for, escapes resolved. */
  public static String text(Expr.Str literal) {
    StringBuilder out = new StringBuilder();
    literal.literals().forEach(l -> unescape(l, out));
    return out.toString();
  }

  /** A literal that stands for {@code text}. */
  public static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c == '\n') {
        out.append("\\n");
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  /** {@code a.b.c} as text, or null if the expression is no dotted name. */
  public static @Nullable String dotted(Expr expression) {
    if (expression instanceof Expr.Name name) {
      return name.id();
    }
    if (expression instanceof Expr.Attribute attribute) {
      String owner = dotted(attribute.value());
      return owner == null ? null : owner + "." + attribute.name();
    }
    return null;
  }

  private static void unescape(String literal, StringBuilder out) {
    int i = 1;
    int end = literal.length() - 1;
    while (i < end) {
      char c = literal.charAt(i++);
      if (c != '\\' || i >= end) {
        out.append(c);
        continue;
      }
      char e = literal.charAt(i++);
      int digits = e == 'x' ? 2 : e >= '0' && e <= '7' ? 3 : 0;
      int from = e == 'x' ? i : i - 1;
      if (digits > 0 && from + digits <= end) {
        try {
          out.append((char) Integer.parseInt(literal, from, from + digits, e == 'x' ? 16 : 8));
          i = from + digits;
          continue;
        } catch (NumberFormatException notANumber) {
          out.append('\\').append(e);
          continue;
        }
      }
      switch (e) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case '\\', '"', '\'' -> out.append(e);
        default -> out.append('\\').append(e);
      }
    }
  }
}
