package io.camhook.plain;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A method in the form used by the configuration: {@code forward}, or {@code forward(float[],int)}
 * with parameter types by their full or simple names.
 */
public final class Signature {
  private final String name;
  private final @Nullable List<String> parameters;

  private Signature(String name, @Nullable List<String> parameters) {
    this.name = name;
    this.parameters = parameters;
  }

  public static Signature parse(String text) {
    int open = text.indexOf('(');
    if (open < 0) {
      return new Signature(text.strip(), null);
    }
    String inside = text.substring(open + 1, text.lastIndexOf(')')).replaceAll("\\s", "");
    return new Signature(
        text.substring(0, open).strip(),
        inside.isEmpty() ? List.of() : Arrays.asList(inside.split(",")));
  }

  public String name() {
    return name;
  }

  /**
   * Whether a method is meant.
   *
   * @param name its name
   * @param parameters full names of its erased parameter types, such as {@code float[]}
   */
  public boolean matches(String name, List<String> parameters) {
    if (!this.name.equals(name)) {
      return false;
    }
    if (this.parameters == null) {
      return true;
    }
    if (this.parameters.size() != parameters.size()) {
      return false;
    }
    for (int i = 0; i < parameters.size(); i++) {
      String full = parameters.get(i);
      String given = this.parameters.get(i);
      if (!full.equals(given) && !full.endsWith("." + given) && !full.endsWith("$" + given)) {
        return false;
      }
    }
    return true;
  }
}
