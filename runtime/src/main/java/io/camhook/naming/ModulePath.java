package io.camhook.naming;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a module is in its model: {@code layer4.1.conv2}, {@code .} for the root. A segment may
 * have other spellings that people use for it: DJL's {@code 03Conv2d} is also {@code Conv2d} (where
 * it is the only one among its siblings) and {@code 2}, its index from 0.
 *
 * @param segments from the root to the module, each with its spellings, the engine's own first
 */
public record ModulePath(List<List<String>> segments) {
  public static final ModulePath ROOT = new ModulePath(List.of());

  public ModulePath {
    segments = segments.stream().map(List::copyOf).toList();
  }

  /** A path whose segments have one spelling each; {@code .} is the root. */
  public static ModulePath parse(String path) {
    if (path.equals(".")) {
      return ROOT;
    }
    List<List<String>> segments = new ArrayList<>();
    for (String segment : path.split("\\.", -1)) {
      segments.add(List.of(segment));
    }
    return new ModulePath(segments);
  }

  /** The module {@code spellings} below this one. */
  public ModulePath child(List<String> spellings) {
    List<List<String>> longer = new ArrayList<>(segments);
    longer.add(spellings);
    return new ModulePath(longer);
  }

  /** The engine's own spelling, dotted. */
  @Override
  public String toString() {
    return segments.isEmpty()
        ? "."
        : String.join(".", segments.stream().map(spellings -> spellings.get(0)).toList());
  }
}
