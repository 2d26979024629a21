package io.camhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.model.ModelMethods;
import io.camhook.explain.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documents' links lead somewhere, and the index has every page. */
class DocumentLinksTest {
  private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s]+)(?:#[^)]*)?\\)");
  private static final Pattern SECTION_LINK = Pattern.compile("]\\(([^)#\\s]*)#([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

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
  void links_to_sections_should_name_a_heading() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      List<MatchResult> links = SECTION_LINK.matcher(Files.readString(document)).results().toList();
      for (MatchResult link : links) {
        Path target =
            link.group(1).isEmpty() ? document : document.resolveSibling(link.group(1)).normalize();
        if (!link.group(1).contains(":") && !sections(target).contains(link.group(2))) {
          broken.add(HOME.relativize(document) + ": " + link.group(1) + "#" + link.group(2));
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  /** The names that GitHub gives to the headings of a page. */
  private static Set<String> sections(Path page) throws IOException {
    return HEADING
        .matcher(Files.readString(page))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  @Test
  void page_of_methods_should_name_every_method_and_metric() throws IOException {
    String page = Files.readString(HOME.resolve("docs/methods.md"));
    List<String> missing = new ArrayList<>(ModelMethods.allIds());
    missing.addAll(Metric.ids());
    missing.removeIf(id -> page.contains("`" + id + "`"));
    assertThat(missing).isEmpty();
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
