package io.camhook.naming;

import java.util.ArrayList;
import java.util.List;

/**
 * An entry of {@code layers}: a module path, or a glob in which {@code *} stands for characters
 * within a segment, {@code **} for any number of segments, and {@code *} alone for every module.
 * {@code auto} is not a pattern: it means the last layer with a spatial output.
 */
public final class LayerPattern {
  /** The entry that is resolved by looking at a pass. */
  public static final String AUTO = "auto";

  private static final String ANY = "**";

  private final String text;
  private final List<String> segments;
  private final List<Glob> globs;

  private LayerPattern(String text) {
    this.text = text;
    this.segments =
        text.equals("*") ? List.of(ANY) : text.equals(".") ? List.of() : List.of(text.split("\\."));
    this.globs = segments.stream().map(Glob::new).toList();
  }

  public static LayerPattern of(String text) {
    return new LayerPattern(text);
  }

  /** Whether the pattern describes the whole path. */
  public boolean matches(ModulePath path) {
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
   * The paths that are meant: those that match; where none does, the one path that ends in what the
   * pattern says ({@code 03Conv2d} for {@code features.03Conv2d}).
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
