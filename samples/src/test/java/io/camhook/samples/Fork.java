package io.camhook.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A sample program in its own JVM, started as the README says. */
public final class Fork {
  private final Path directory;
  private final List<String> jvmOptions = new ArrayList<>();
  private String classPath = samples();

  /**
   * @param directory where the program runs
   */
  public Fork(Path directory) {
    this.directory = directory;
    jvmOptions.addAll(List.of("-Dai.djl.offline=true", "-DOPT_OUT_TRACKING=true"));
  }

  /** With the agent; {@code options} as after the {@code =}, empty for none. */
  public Fork agent(String options) {
    return jvm("-javaagent:" + agentJar() + (options.isEmpty() ? "" : "=" + options));
  }

  public Fork jvm(String option) {
    jvmOptions.add(option);
    return this;
  }

  /** With the hook API among the application's own classes. */
  public Fork withRuntime() {
    classPath += File.pathSeparator + System.getProperty("camhook.runtime.jar");
    return this;
  }

  /** Runs it and returns the lines that it printed to standard output; fails if it fails. */
  public List<String> run(Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    return run(List.of("-cp", classPath, main.getName()), arguments);
  }

  /** The same for a jar that names its own main class. */
  public List<String> runJar(Path jar, String... arguments)
      throws IOException, InterruptedException {
    return run(List.of("-jar", jar.toString()), arguments);
  }

  private List<String> run(List<String> program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.addAll(program);
    command.addAll(Arrays.asList(arguments));
    Path out = Files.createTempFile(directory, "out", ".txt");
    Path err = Files.createTempFile(directory, "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(180, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("still running after 180 s: " + command);
    }
    assertThat(process.exitValue()).as(() -> command + "\n" + read(err)).isZero();
    List<String> lines = Files.readAllLines(out);
    Files.delete(out);
    Files.delete(err);
    return lines;
  }

  public static Path agentJar() {
    return Path.of(System.getProperty("camhook.agent.jar"));
  }

  /** The {@code camhook} command. */
  public static Path commandJar() {
    return Path.of(System.getProperty("camhook.command.jar"));
  }

  /** The samples and what they need; nothing of camhook. */
  private static String samples() {
    Path target = Path.of("target").toAbsolutePath();
    try (var libraries = Files.list(target.resolve("lib"))) {
      return target.resolve("camhook-samples.jar")
          + File.pathSeparator
          + libraries.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
