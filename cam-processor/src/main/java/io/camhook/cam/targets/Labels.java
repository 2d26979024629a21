package io.camhook.cam.targets;

import io.camhook.cam.CamException;
import io.camhook.naming.Nearest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The names of a model's classes, in the order of its outputs.
 *
 * @param names one per output
 */
public record Labels(List<String> names) {

  public Labels {
    names = List.copyOf(names);
  }

  /** No names. */
  public static Labels none() {
    return new Labels(List.of());
  }

  /**
   * Reads a file with one name per line; a synset id ({@code n02123159}) before the name is
   * dropped.
   */
  public static Labels read(Path file) throws IOException {
    return new Labels(
        Files.readAllLines(file).stream()
            .map(line -> line.strip().replaceFirst("^n\\d{8}\\s+", ""))
            .toList());
  }

  /** The name of a class, if it has one. */
  public Optional<String> name(int index) {
    return index >= 0 && index < names.size() ? Optional.of(names.get(index)) : Optional.empty();
  }

  /**
   * The class of that name; case does not matter, and one of several names of a class ({@code
   * tabby, tabby cat}) suffices.
   *
   * @throws CamException if there is none, naming the nearest, or several
   */
  public int index(String name) {
    if (names.isEmpty()) {
      throw new CamException(
          "label '%s': no labels are known; give a file with one name per line (labels)"
              .formatted(name));
    }
    int found = -1;
    for (int i = 0; i < names.size(); i++) {
      if (matches(names.get(i), name)) {
        if (found >= 0) {
          throw new CamException(
              "label '%s' is that of class %d and of class %d; use class:%d or class:%d"
                  .formatted(name, found, i, found, i));
        }
        found = i;
      }
    }
    if (found < 0) {
      throw new CamException(
          "no label '%s' among %d; nearest: %s"
              .formatted(
                  name, names.size(), String.join(", ", Nearest.containing(name, names, 3))));
    }
    return found;
  }

  private static boolean matches(String label, String name) {
    if (label.equalsIgnoreCase(name.strip())) {
      return true;
    }
    for (String synonym : label.split(",")) {
      if (synonym.strip().equalsIgnoreCase(name.strip())) {
        return true;
      }
    }
    return false;
  }
}
