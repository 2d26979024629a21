package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The committed bundle of the page: Maven needs no Node, so nobody else would notice a stale one.
 */
class BundleTest {
  private static final Path SOURCES = Path.of("src/main/frontend/src");
  private static final Path BUNDLE = Path.of("src/main/resources/io/camhook/report");

  /** As build.mjs makes it: name, zero, content, zero of each source in order. */
  @Test
  void bundle_should_be_made_of_the_sources_that_are_here()
      throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    List<Path> sources;
    try (Stream<Path> files = Files.list(SOURCES)) {
      sources = files.filter(file -> file.toString().matches(".*\\.(js|css)")).sorted().toList();
    }
    for (Path source : sources) {
      digest.update((source.getFileName() + "\0").getBytes(StandardCharsets.UTF_8));
      digest.update(Files.readAllBytes(source));
      digest.update((byte) 0);
    }
    String expected =
        "/* made by build.mjs, sources " + HexFormat.of().formatHex(digest.digest()) + " */";
    for (String name : List.of("report.js", "report.css")) {
      assertThat(Files.readString(BUNDLE.resolve(name)).lines().findFirst())
          .as("%s: run npm ci && npm run build in src/main/frontend", name)
          .contains(expected);
    }
  }

  @Test
  void code_should_stay_small_and_within_its_element() throws IOException {
    String js = Files.readString(BUNDLE.resolve("report.js"));
    String css = Files.readString(BUNDLE.resolve("report.css"));
    assertThat(js.length() + css.length()).isLessThan(150_000);
    assertThat(js).doesNotContain("</script");
    assertThat(css).doesNotContain("</style");
  }
}
