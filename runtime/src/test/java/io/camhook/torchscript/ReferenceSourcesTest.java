package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.source.Parser;
import io.camhook.torchscript.source.Printer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every source that torch 2.13 wrote into the reference archives. */
class ReferenceSourcesTest {
  static final Path FOLDER = Path.of(System.getProperty("camhook.reference", ""), "torchscript");

  static List<Path> archives() throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(f -> f.toString().endsWith(".pt")).sorted().toList();
    }
  }

  @Test
  void printer_should_write_what_was_parsed() throws Exception {
    int sources = 0;
    for (Path archive : archives()) {
      try (ZipFile zip = new ZipFile(archive.toFile())) {
        for (ZipEntry entry : zip.stream().filter(e -> e.getName().endsWith(".py")).toList()) {
          String text = new String(zip.getInputStream(entry).readAllBytes());
          String where = archive.getFileName() + " " + entry.getName();
          assertThat(Printer.print(Parser.parse(where, text))).as(where).isEqualTo(text);
          sources++;
        }
      }
    }
    assertThat(sources).isGreaterThan(1000);
  }

  @Test
  void instrumented_copy_should_keep_every_method_and_entry(@TempDir Path temp) throws Exception {
    for (Path archive : archives()) {
      TorchScriptArchive model = TorchScriptArchive.open(archive);
      List<String> called =
          model.modules().stream()
              .filter(m -> m.callSites() > 0)
              .map(ModuleDescription::path)
              .toList();
      Path copy = temp.resolve("copy.pt");
      model.instrument(called).write(copy);
      try (ZipFile before = new ZipFile(archive.toFile());
          ZipFile after = new ZipFile(copy.toFile())) {
        for (ZipEntry entry : before.stream().toList()) {
          byte[] old = before.getInputStream(entry).readAllBytes();
          byte[] now = after.getInputStream(after.getEntry(entry.getName())).readAllBytes();
          if (entry.getName().endsWith(".py")) {
            assertThat(linesOf(now)).as(entry.getName()).containsSubsequence(linesOf(old));
          } else {
            assertThat(now).as(entry.getName()).isEqualTo(old);
          }
        }
      }
    }
  }

  private static List<String> linesOf(byte[] text) {
    return new String(text).lines().toList();
  }
}
