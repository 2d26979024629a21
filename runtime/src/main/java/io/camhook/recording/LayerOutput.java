package io.camhook.recording;

import org.jspecify.annotations.Nullable;

/**
 * One value that a module returned: {@code layer4.1}, {@code relu#2} (third call in the pass),
 * {@code lstm:0} or {@code backbone:out} (entry of a tuple or dict), {@code .} (the root module).
 *
 * <p>A {@code %}, {@code :} or {@code #} that belongs to the module's own name is written {@code
 * %25}, {@code %3A}, {@code %23}, so that text and value correspond one to one.
 *
 * @param path dotted module path; {@code .} for the root
 * @param call 0 for the first call in the pass, 1 for the second …
 * @param entry index or key if the module returns several values; null if it returns one
 */
public record LayerOutput(String path, int call, @Nullable String entry) {
  public LayerOutput {
    if (path.isEmpty() || call < 0) {
      throw new IllegalArgumentException(
          "a layer output needs a path ('.' is the root) and a call from 0, found '%s' call %d"
              .formatted(path, call));
    }
  }

  /** The only value of the first call. */
  public static LayerOutput of(String path) {
    return new LayerOutput(path, 0, null);
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException if {@code text} is not of that form
   */
  public static LayerOutput parse(String text) {
    int colon = text.indexOf(':');
    String entry = colon < 0 ? null : text.substring(colon + 1);
    String called = colon < 0 ? text : text.substring(0, colon);
    int hash = called.indexOf('#');
    if (hash < 0) {
      return new LayerOutput(unescape(called), 0, entry);
    }
    try {
      int call = Integer.parseInt(called.substring(hash + 1));
      if (call > 0) {
        return new LayerOutput(unescape(called.substring(0, hash)), call, entry);
      }
    } catch (NumberFormatException e) {
      // reported below, together with numbers out of range
    }
    throw new IllegalArgumentException(
        "expected PATH, PATH#k (k from 1) or PATH:entry, found '" + text + "'");
  }

  private static String escape(String path) {
    return path.replace("%", "%25").replace(":", "%3A").replace("#", "%23");
  }

  private static String unescape(String path) {
    return path.replace("%23", "#").replace("%3A", ":").replace("%25", "%");
  }

  @Override
  public String toString() {
    return escape(path) + (call > 0 ? "#" + call : "") + (entry == null ? "" : ":" + entry);
  }
}
