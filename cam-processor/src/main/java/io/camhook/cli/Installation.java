package io.camhook.cli;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds camhook's jars: in {@code jars/} of an unpacked distribution, or in the {@code target}
 * folders of a checkout.
 *
 * @param home the folder of the launcher
 */
record Installation(Path home) {
  /** The folder that the launcher names, otherwise the one with {@code camhook.jar}. */
  static Installation find() {
    String given = System.getProperty("camhook.home");
    if (given != null) {
      return new Installation(Path.of(given));
    }
    try {
      Path code =
          Path.of(Installation.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path unpacked = code.resolve("../..").normalize();
      return new Installation(
          Files.isDirectory(unpacked.resolve("jars"))
              ? unpacked
              : code.resolve("../../..").normalize());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private boolean isUnpacked() {
    return Files.isDirectory(home.resolve("jars"));
  }

  /** The agent's jar, for {@code -javaagent}. */
  Path agentJar() {
    return home.resolve(isUnpacked() ? "jars/camhook-agent.jar" : "agent/target/camhook-agent.jar");
  }

  /** The sample programs. */
  Path samplesJar() {
    return home.resolve(
        isUnpacked() ? "jars/camhook-samples.jar" : "samples/target/camhook-samples.jar");
  }

  /** The libraries of the sample programs. */
  Path sampleLibraries() {
    return home.resolve(isUnpacked() ? "jars/samples" : "samples/target/lib");
  }

  /** The class path of the sample programs; PyTorch's natives are beside {@code camhook.jar}. */
  String sampleClassPath() {
    String programs =
        samplesJar().toAbsolutePath() + File.pathSeparator + sampleLibraries().toAbsolutePath();
    return isUnpacked()
        ? programs + "/*" + File.pathSeparator + home.resolve("jars/lib").toAbsolutePath() + "/*"
        : programs + "/*";
  }
}
