package io.camhook.samples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The distribution in the hands of a user: unpacked somewhere, with a JDK and without Maven or a
 * checkout. Runs with {@code -Pdist}, which makes the zip.
 */
class DistributionIT {
  private static final String ZIP = System.getProperty("camhook.distribution", "");

  @TempDir Path directory;
  private Path home;

  @BeforeEach
  void unpack() throws IOException {
    assumeTrue(!ZIP.isEmpty(), "no distribution was built; mvn -Pdist verify builds and tries it");
    try (InputStream in = Files.newInputStream(Path.of(ZIP));
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path file = directory.resolve(entry.getName());
        if (entry.isDirectory()) {
          Files.createDirectories(file);
        } else {
          Files.createDirectories(file.getParent());
          Files.copy(zip, file);
        }
      }
    }
    try (Stream<Path> folders = Files.list(directory)) {
      home = folders.findFirst().orElseThrow();
    }
  }

  @Test
  void command_should_run_from_an_unpacked_folder_without_maven() throws Exception {
    assertThat(camhook("--version")).contains("camhook 0.");
    assertThat(camhook("--help")).contains("explain", "report", "attach");
    for (String file :
        List.of("README.md", "LICENSE", "camhook.schema.json", "docs/README.md", "camhook.cmd")) {
      assertThat(home.resolve(file)).isRegularFile();
    }
  }

  @Test
  void demo_should_run_from_an_unpacked_folder() throws Exception {
    String said = camhook("demo", "--output", directory.resolve("out").toString());

    assertThat(said).contains("Grad-CAM", "report");
    assertThat(directory.resolve("out/report.html")).isRegularFile();
  }

  private String camhook(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("/bin/bash", home.resolve("camhook").toString()));
    command.addAll(List.of(arguments));
    Path said = directory.resolve("said.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("PATH", mavenThatFails() + File.pathSeparator + environment.get("PATH"));
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String text = Files.readString(said, UTF_8);
    assertThat(process.exitValue()).as(text).isZero();
    return text;
  }

  private Path mavenThatFails() throws IOException {
    Path folder = Files.createDirectories(directory.resolve("no-maven"));
    Path mvn = folder.resolve("mvn");
    Files.writeString(mvn, "#!/bin/sh\necho Maven was called >&2\nexit 99\n");
    assertThat(mvn.toFile().setExecutable(true)).isTrue();
    return folder;
  }
}
