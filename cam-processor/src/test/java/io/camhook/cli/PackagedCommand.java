package io.camhook.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The packaged {@code camhook.jar} in its own process, as users run it. */
final class PackagedCommand {
  /** The jar under test; PyTorch's natives are in {@code lib} beside it. */
  static final Path JAR = Path.of(System.getProperty("camhook.jar"));

  private static final int TIMEOUT_SECONDS = 120;

  /**
   * libtorch itself prints this on processors without the features that one of its libraries wants.
   */
  private static final String OF_THE_ENGINE = "NNPACK";

  private final Path jar;
  private final Path folder;

  /** {@code folder} takes what the process prints. */
  PackagedCommand(Path jar, Path folder) {
    this.jar = jar;
    this.folder = folder;
  }

  Invocation run(Object... arguments) throws IOException, InterruptedException {
    return run(List.of(), arguments);
  }

  Invocation run(List<String> jvmOptions, Object... arguments)
      throws IOException, InterruptedException {
    return ended(start(jvmOptions, arguments));
  }

  /** A running process, and the file of its output. */
  record Started(Process process, Path out, Path err) {}

  Started start(List<String> jvmOptions, Object... arguments) throws IOException {
    List<String> all = new ArrayList<>(jvmOptions);
    all.addAll(List.of("-jar", jar.toString()));
    Arrays.stream(arguments).map(String::valueOf).forEach(all::add);
    return java(folder, all);
  }

  /** Starts Java with these arguments; {@code folder} takes what it prints. */
  static Started java(Path folder, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-Djava.awt.headless=true"));
    command.addAll(arguments);
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new Started(process, out, err);
  }

  /** Waits for the end. */
  static Invocation ended(Started started) throws IOException, InterruptedException {
    if (!started.process().waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      started.process().destroyForcibly();
      throw new IOException("still running after " + TIMEOUT_SECONDS + " s");
    }
    return new Invocation(
        started.process().exitValue(),
        Files.readString(started.out()),
        Files.readString(started.err())
            .lines()
            .filter(line -> !line.contains(OF_THE_ENGINE))
            .map(line -> line + "\n")
            .collect(Collectors.joining()));
  }
}
