package io.camhook.agent;

import io.camhook.dispatch.Dispatch;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A real {@code java -javaagent:…} in its own process. */
final class ForkedJvm {
  /** The shaded jar under test. */
  static final Path AGENT = Path.of(System.getProperty("camhook.agent.jar"));

  private final Path directory;
  private final List<String> jvmOptions = new ArrayList<>();

  ForkedJvm(Path directory) {
    this.directory = directory;
    jvmOptions.addAll(
        List.of(
            "-Dai.djl.offline=true",
            "-DOPT_OUT_TRACKING=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"));
  }

  /** With the agent; {@code options} as after the {@code =}, empty for none. */
  ForkedJvm agent(String options) {
    return jvm("-javaagent:" + AGENT + (options.isEmpty() ? "" : "=" + options));
  }

  ForkedJvm jvm(String... options) {
    jvmOptions.addAll(Arrays.asList(options));
    return this;
  }

  /** Starts it and returns; its output is in {@code out.txt} and {@code err.txt}. */
  Process start(String classPath, String main, String... arguments) throws IOException {
    return new ProcessBuilder(command(classPath, main, arguments))
        .directory(directory.toFile())
        .redirectOutput(directory.resolve("out.txt").toFile())
        .redirectError(directory.resolve("err.txt").toFile())
        .start();
  }

  private List<String> command(String classPath, String main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(Arrays.asList(arguments));
    return command;
  }

  Result run(String classPath, String main, String... arguments) throws Exception {
    List<String> command = command(classPath, main, arguments);
    Path out = Files.createTempFile(directory, "out", ".txt");
    Path err = Files.createTempFile(directory, "err", ".txt");
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(300, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("still running after 300 s: " + command);
    }
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err), millis);
  }

  /** The folder with the compiled applications of the tests. */
  static String applications() {
    return location(app.Hello.class);
  }

  private static String location(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a manifest must contain about a model's file. */
  static String sha256(Path file) throws IOException {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
      return "\"sha256\" : \"" + HexFormat.of().formatHex(digest) + "\"";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The engine and what it needs, from the test's class path; nothing of camhook. */
  static String engine() {
    return jars()
        .filter(path -> !path.getFileName().toString().matches("(camhook|byte-buddy).*"))
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The runtime, as packaged by an application that uses the hook API. */
  static String runtime() {
    return location(Dispatch.class);
  }

  private static java.util.stream.Stream<Path> jars() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> entry.endsWith(".jar"))
        .map(Path::of);
  }

  /** How a process ended, and its output. */
  record Result(int status, String out, String err, long millis) {}
}
