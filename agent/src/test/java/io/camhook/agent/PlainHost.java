package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** A network of a third-party library, hooked by YAML alone. Runs with {@code -Pplain-hosts}. */
abstract class PlainHost {
  @TempDir Path directory;
  private final String host;
  private final String program;

  /**
   * @param host names the folder of its jars: the system property {@code camhook.HOST}
   * @param program its source, a resource in {@code plain}
   */
  PlainHost(String host, String program) {
    this.host = host;
    this.program = program;
  }

  @BeforeAll
  static void requireProfile() {
    assumeFalse(System.getProperty("camhook.smile", "").isEmpty(), "runs with -Pplain-hosts");
  }

  final ForkedJvm.Result run(boolean agent) throws Exception {
    Path source = copied(program);
    ForkedJvm jvm = new ForkedJvm(directory).jvm("-Xmx1g");
    if (agent) {
      copied(host + ".yaml");
      jvm.agent(host + ".yaml");
    }
    ForkedJvm.Result result = jvm.run(jars(), source.toString());
    assertThat(result.status()).as(result.err()).isZero();
    return result;
  }

  private Path copied(String name) throws IOException {
    Path file = directory.resolve(name);
    try (var in = PlainHost.class.getResourceAsStream("/plain/" + name)) {
      return Files.write(file, in.readAllBytes());
    }
  }

  private String jars() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("camhook." + host)))) {
      return files.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
  }

  final List<Capture> captures() throws IOException {
    List<Capture> all = new ArrayList<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve("recording"))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        all.add(capture);
      }
    }
    return all;
  }

  /** The numbers after a word that begins a line. */
  static double[] numbers(String out, String word) {
    String line = out.lines().filter(l -> l.startsWith(word + " ")).findFirst().orElseThrow();
    return Stream.of(line.substring(word.length() + 1).replaceAll("[\\[\\],]", "").split(" "))
        .mapToDouble(Double::parseDouble)
        .toArray();
  }
}
