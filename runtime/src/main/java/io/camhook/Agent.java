package io.camhook;

import io.camhook.dispatch.Dispatch;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Checks that the agent is present, and attaches it if {@code camhook.selfAttach=true} asks for
 * that.
 */
final class Agent {
  private static final String SELF_ATTACH = "camhook.selfAttach";
  private static final String AGENT_JAR = "camhook.agentJar";
  private static final String AGENT_CLASS = "io.camhook.agent.CamhookAgent";
  private static final int TIMEOUT_SECONDS = 60;

  private Agent() {}

  /**
   * Returns normally if hooks can run.
   *
   * @throws IllegalStateException if they cannot; the message says what to do
   */
  static synchronized void require() {
    if (Dispatch.installed()) {
      return;
    }
    if (!Boolean.getBoolean(SELF_ATTACH)) {
      throw new IllegalStateException(
          "hooks need the camhook agent: start the JVM with -javaagent:camhook-agent.jar,"
              + " or set -D"
              + SELF_ATTACH
              + "=true to attach it now");
    }
    attach(jar());
    requireOurs();
    if (!Dispatch.installed()) {
      throw new IllegalStateException(
          "the agent was attached but did not start; its messages on standard error say why");
    }
  }

  /** The agent uses the classes of the system's loader. */
  private static void requireOurs() {
    ClassLoader ours = Dispatch.class.getClassLoader();
    if (ours != ClassLoader.getSystemClassLoader()) {
      throw new IllegalStateException(
          "camhook was loaded by "
              + ours.getClass().getName()
              + " before the agent came, which cannot reach it there; start the JVM with"
              + " -javaagent:camhook-agent.jar");
    }
  }

  private static Path jar() {
    String named = System.getProperty(AGENT_JAR);
    if (named != null) {
      return Path.of(named).toAbsolutePath();
    }
    try {
      Class<?> agent = Class.forName(AGENT_CLASS, false, ClassLoader.getSystemClassLoader());
      Path place = Path.of(agent.getProtectionDomain().getCodeSource().getLocation().toURI());
      if (place.toString().endsWith(".jar")) {
        return place;
      }
    } catch (ClassNotFoundException | URISyntaxException e) {
      // said below
    }
    throw new IllegalStateException(
        SELF_ATTACH
            + "=true, but camhook-agent.jar is not on the class path; name it with -D"
            + AGENT_JAR
            + "=FILE");
  }

  /** A JVM may not attach to itself, so a second one does it. */
  private static void attach(Path jar) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    try {
      Process process =
          new ProcessBuilder(
                  java,
                  "-cp",
                  String.join(File.pathSeparator, placeOf(Attacher.class), jar.toString()),
                  Attacher.class.getName(),
                  Long.toString(ProcessHandle.current().pid()),
                  jar.toString())
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IllegalStateException("attaching " + jar + " failed: " + output.strip());
      }
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException("attaching " + jar + " failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while attaching " + jar, e);
    }
  }

  private static String placeOf(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }
}
