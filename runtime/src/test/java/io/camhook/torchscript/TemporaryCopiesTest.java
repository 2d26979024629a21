package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryCopiesTest {
  @TempDir Path folder;

  /** A program that makes copies and waits to be killed. */
  static final class Loading {
    private Loading() {}

    public static void main(String[] args) throws Exception {
      Path file = TemporaryCopies.file(".pt");
      Files.writeString(file, "half of a model");
      Path directory = TemporaryCopies.directory();
      Files.writeString(directory.resolve("net.pt"), "the other half");
      System.out.println(file);
      System.out.println(directory);
      System.out.flush();
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  @Test
  void copies_of_a_killed_process_should_be_swept_and_those_of_a_living_one_left()
      throws Exception {
    Path other = Files.writeString(folder.resolve("camhook-report-17.blocks"), "not ours to sweep");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                Loading.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      List<Path> copies = List.of(Path.of(out.readLine()), Path.of(out.readLine()));
      assertThat(TemporaryCopies.sweep(folder)).isZero();
      assertThat(copies).allMatch(Files::exists);

      process.destroyForcibly().waitFor();
      assertThat(TemporaryCopies.sweep(folder)).isEqualTo(2);
      assertThat(copies).noneMatch(Files::exists);
      assertThat(other).exists();
      assertThat(TemporaryCopies.sweep(folder)).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void copies_of_another_container_should_be_left_for_a_day() throws Exception {
    Path copy = Files.createFile(folder.resolve("camhook-1-" + Long.MAX_VALUE + "-7-x.pt"));
    assertThat(TemporaryCopies.sweep(folder)).isZero();
    Files.setLastModifiedTime(copy, FileTime.from(Instant.now().minus(Duration.ofHours(25))));
    assertThat(TemporaryCopies.sweep(folder)).isOne();
    assertThat(copy).doesNotExist();
  }

  @Test
  void links_should_not_be_followed() throws Exception {
    Path precious = Files.createDirectory(folder.resolve("precious"));
    Path kept = Files.writeString(precious.resolve("kept"), "kept");
    Path link = folder.resolve("camhook-1-1-1-link");
    Files.createSymbolicLink(link, precious);
    Files.setLastModifiedTime(precious, FileTime.from(Instant.EPOCH));
    TemporaryCopies.sweep(folder);
    assertThat(kept).exists();
  }
}
