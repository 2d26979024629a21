package io.camhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code ARCHITECTURE.md} names the packages and classes that are there. */
class ArchitectureDocumentTest {
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z.]+)` \\|");
  private static final Pattern CLASS = Pattern.compile("`((?:[a-z]+\\.)*[A-Z]\\w+)(?:\\.\\w+)*`");
  private static final List<Path> SOURCES =
      Stream.of("runtime", "agent", "cam-processor")
          .map(module -> Path.of("..", module, "src/main/java/io/camhook"))
          .toList();

  private static String document() throws IOException {
    return Files.readString(Path.of("../ARCHITECTURE.md"));
  }

  private static Set<String> rows(String text, String prefix) {
    return ROW.matcher(text)
        .results()
        .map(row -> row.group(1))
        .filter(name -> name.startsWith(prefix))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> folders(String under, String prefix) throws IOException {
    Set<String> names = new TreeSet<>();
    for (Path source : SOURCES) {
      Path folder = source.resolve(under);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> all = Files.list(folder)) {
          all.filter(Files::isDirectory).forEach(each -> names.add(prefix + each.getFileName()));
        }
      }
    }
    return names;
  }

  @Test
  void rooms_should_be_the_packages_of_the_code() throws IOException {
    Set<String> expected = folders("", "io.camhook.");
    expected.add("io.camhook");
    assertThat(rows(document(), "io.camhook")).isEqualTo(expected);
  }

  @Test
  void rooms_of_the_adapter_and_of_torchscript_should_be_the_packages_of_the_code()
      throws IOException {
    assertThat(rows(document(), "djl.")).isEqualTo(folders("djl", "djl."));
    assertThat(rows(document(), "torchscript.")).isEqualTo(folders("torchscript", "torchscript."));
  }

  @Test
  void classes_that_it_names_should_exist() throws IOException {
    Set<String> known = new TreeSet<>();
    for (Path source : SOURCES) {
      try (Stream<Path> files = Files.walk(source)) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(".java"))
            .forEach(name -> known.add(name.substring(0, name.length() - 5)));
      }
    }
    known.add("Throwable");
    Matcher names = CLASS.matcher(document());
    Set<String> missing = new TreeSet<>();
    while (names.find()) {
      String name = names.group(1);
      String simple = name.substring(name.lastIndexOf('.') + 1);
      if (!known.contains(simple) && !simple.equals("ArchitectureDocumentTest")) {
        missing.add(name);
      }
    }
    assertThat(missing).as("classes in ARCHITECTURE.md that are not in the code").isEmpty();
  }
}
