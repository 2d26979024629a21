package io.camhook.naming;

import java.util.ArrayList;
import java.util.List;

/**
 * An entry of {@code layers}: a module path, or a glob in which {@code *} stands for characters
 * within a segment, {@code **} for any number of segments, and {@code *} alone for every module. An
 * operator in the code of modules is named after a slash: {@code layer3.*}{@code /relu*}. {@code
 * auto} is not a pattern: it means the last layer with a spatial output.
 */
public final class LayerPattern {
  /** The entry that is resolved by looking at a pass. */
  public static final String AUTO = "auto";

  private static final String ANY = "**";
  private static final char INSIDE = '/';

  private final String text;
  private final List<String> segments;
  private final List<Glob> globs;

  private LayerPattern(String text, List<String> segments) {
    this.text = text;
    this.segments = segments;
    this.globs = segments.stream().map(Glob::new).toList();
  }

  public static LayerPattern of(String text) {
    return new LayerPattern(
        text,
        text.equals("*")
            ? List.of(ANY)
            : text.equals(".") ? List.of() : List.of(text.split("\\.")));
  }

  /** The part after its first {@code n} segments, as a separate pattern. */
  public LayerPattern below(int n) {
    List<String> rest = segments.subList(n, segments.size());
    return new LayerPattern(String.join(".", rest), rest);
  }

  /** Its first {@code n} segments, as a pattern of their own. */
  public LayerPattern upTo(int n) {
    List<String> first = segments.subList(0, n);
    return new LayerPattern(String.join(".", first), first);
  }

  /** How many segments it has. */
  public int depth() {
    return segments.size();
  }

  /** The segment {@code i}, from 0, as it is written. */
  public String segment(int i) {
    return segments.get(i);
  }

  /** Whether it means every module. */
  public boolean isAny() {
    return segments.equals(List.of(ANY));
  }

  /** Whether it can mean one path only. */
  public boolean isLiteral() {
    return globs.stream().allMatch(Glob::isLiteral);
  }

  /** The message if {@link #AUTO} means {@code path} and no weights come after it. */
  public static String onlyPoolingAfter(String path) {
    return "auto is '%s', after which only pooling comes: it is the model's own class map, or its embedding, so that Grad-CAM shows single channels of it; name a layer before it for more"
        .formatted(path);
  }

  /** Whether the pattern means operators in the code of modules rather than modules. */
  public boolean isInside() {
    return text.indexOf(INSIDE) >= 0;
  }

  /** Whether the pattern describes the whole path. */
  public boolean matches(ModulePath path) {
    String whole = path.toString();
    int operator = whole.lastIndexOf(INSIDE);
    if (isInside() && operator >= 0) {
      int own = text.lastIndexOf(INSIDE);
      return new Glob(text.substring(own + 1)).matches(whole.substring(operator + 1))
          && of(text.substring(0, own)).matches(ModulePath.parse(whole.substring(0, operator)));
    }
    return matches(path.segments(), 0, 0);
  }

  private boolean matches(List<List<String>> path, int at, int pattern) {
    if (pattern == segments.size()) {
      return at == path.size();
    }
    if (segments.get(pattern).equals(ANY)) {
      for (int next = at; next <= path.size(); next++) {
        if (matches(path, next, pattern + 1)) {
          return true;
        }
      }
      return false;
    }
    return at < path.size()
        && path.get(at).stream().anyMatch(globs.get(pattern)::matches)
        && matches(path, at + 1, pattern + 1);
  }

  /**
   * The paths that the pattern means: those that match or, if none does, the only path that ends
   * with the pattern ({@code 03Conv2d} for {@code features.03Conv2d}).
   */
  public List<ModulePath> select(List<ModulePath> paths) {
    List<ModulePath> matching = paths.stream().filter(this::matches).toList();
    if (!matching.isEmpty() || segments.isEmpty()) {
      return matching;
    }
    List<ModulePath> ending = new ArrayList<>();
    for (ModulePath path : paths) {
      int from = path.segments().size() - segments.size();
      if (from > 0 && matches(path.segments(), from, 0)) {
        ending.add(path);
      }
    }
    return ending.size() == 1 ? ending : List.of();
  }

  @Override
  public String toString() {
    return text;
  }
}
