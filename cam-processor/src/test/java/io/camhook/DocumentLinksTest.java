package io.camhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents point to is there, and the index knows every page. */
class DocumentLinksTest {
  private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s]+)(?:#[^)]*)?\\)");

  @Test
  void links_between_documents_should_lead_somewhere() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      for (String link : links(document)) {
        Path target = document.resolveSibling(link).normalize();
        if (!link.contains(":") && !Files.exists(target)) {
          broken.add(HOME.relativize(document) + ": " + link);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void index_should_name_every_page_of_the_documentation() throws IOException {
    List<String> indexed = links(HOME.resolve("docs/README.md"));
    try (Stream<Path> pages = Files.list(HOME.resolve("docs"))) {
      List<String> names =
          pages
              .map(page -> page.getFileName().toString())
              .filter(name -> name.endsWith(".md") && !name.equals("README.md"))
              .toList();
      assertThat(indexed).containsAll(names);
    }
  }

  private static List<Path> documents() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder : List.of(".", "docs", "samples", "benchmarks", "reference")) {
      try (Stream<Path> files = Files.list(HOME.resolve(folder).normalize())) {
        files.filter(file -> file.toString().endsWith(".md")).forEach(found::add);
      }
    }
    assertThat(found).hasSizeGreaterThan(20);
    return found;
  }

  private static List<String> links(Path document) throws IOException {
    String text = Files.readString(document);
    return LINK.matcher(text).results().map(link -> link.group(1)).toList();
  }
}
