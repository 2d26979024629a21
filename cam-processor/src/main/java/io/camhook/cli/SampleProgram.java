package io.camhook.cli;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** The sample program in a process of its own, with the agent attached. */
final class SampleProgram {
  private static final String MAIN = "io.camhook.samples.shapes.ShapesDemo";
  private static final String LABELS = "io/camhook/samples/shapes/synset.txt";

  private final Path agent;
  private final Path jar;
  private final Path libraries;

  private SampleProgram(Path agent, Path jar, Path libraries) {
    this.agent = agent;
    this.jar = jar;
    this.libraries = libraries;
  }

  /**
   * Finds the sample in the checkout that this command was built in.
   *
   * @throws CommandFailure if it is not built
   */
  static SampleProgram find() {
    Path home = home();
    SampleProgram sample =
        new SampleProgram(
            home.resolve("agent/target/camhook-agent.jar"),
            home.resolve("samples/target/camhook-samples.jar"),
            home.resolve("samples/target/lib"));
    for (Path needed : List.of(sample.agent, sample.jar, sample.libraries)) {
      if (!Files.exists(needed)) {
        throw new CommandFailure(needed + " is missing; build it with: mvn -q -DskipTests package");
      }
    }
    return sample;
  }

  /** The checkout: where the launcher is, else two folders above {@code target/camhook.jar}. */
  private static Path home() {
    String given = System.getProperty("camhook.home");
    if (given != null) {
      return Path.of(given);
    }
    try {
      Path code =
          Path.of(SampleProgram.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return code.resolve("../../..").normalize();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes {@code synset.txt} and {@code camhook.yaml} for it into {@code directory}. */
  void configure(Path directory) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry labels = zip.getEntry(LABELS);
      if (labels == null) {
        throw new CommandFailure(jar + ": expected the class names in " + LABELS + ", found none");
      }
      Files.write(directory.resolve("synset.txt"), zip.getInputStream(labels).readAllBytes());
    }
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        version: 1
        models:
          - name: shapes
            layers: [auto]            # the last layer with a spatial output
            capture: [image, activation, gradient, output]
            target: top2              # maps of the two most probable classes
            labels: synset.txt
        output:
          directory: recording
        """);
  }

  /**
   * Runs it in {@code directory}; what it prints goes to {@code sample.log} there.
   *
   * @return its last line
   * @throws CommandFailure if it fails
   */
  String run(Path directory, int pictures, int pairs) throws IOException, InterruptedException {
    Path log = directory.resolve("sample.log");
    Process process =
        new ProcessBuilder(command(pictures, pairs))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    process.getOutputStream().close();
    try {
      if (!process.waitFor(10, TimeUnit.MINUTES)) {
        throw new CommandFailure("the sample program did not end within 10 minutes; see " + log);
      }
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(log).stream().filter(line -> !line.isBlank()).toList();
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    if (process.exitValue() != 0) {
      throw new CommandFailure(
          "the sample program ended with status %d; see %s: %s"
              .formatted(process.exitValue(), log, last));
    }
    return lines.stream().filter(line -> line.contains("named correctly")).findFirst().orElse(last);
  }

  private List<String> command(int pictures, int pairs) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-javaagent:" + agent.toAbsolutePath() + "=camhook.yaml",
        "-Dai.djl.offline=true",
        "-DOPT_OUT_TRACKING=true",
        "-cp",
        jar.toAbsolutePath() + java.io.File.pathSeparator + libraries.toAbsolutePath() + "/*",
        MAIN,
        "--pictures",
        "pictures",
        "--count",
        String.valueOf(pictures),
        "--pairs",
        String.valueOf(pairs));
  }
}
