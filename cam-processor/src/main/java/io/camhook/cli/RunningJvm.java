package io.camhook.cli;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Another JVM on this machine, reached through the attach API of the JDK. */
final class RunningJvm {
  /** The agent's reply. */
  record Answer(boolean done, List<String> lines) {}

  /** The agent keeps its last reply in this system property of its own JVM. */
  private static final String REPLY = "camhook.reply";

  private static final String AGENT = "camhook-agent.jar";
  private static final String AGENT_PROPERTY = "camhook.agentJar";

  private final long pid;
  private final Path agent;

  private RunningJvm(long pid, Path agent) {
    this.pid = pid;
    this.agent = agent;
  }

  /**
   * The JVM with a process id.
   *
   * @param agent the agent's jar; null: the one that belongs to this command
   * @throws CommandFailure if there is no such process, or no agent's jar
   */
  static RunningJvm of(long pid, @Nullable Path agent) {
    if (ProcessHandle.of(pid).isEmpty()) {
      throw new CommandFailure(
          "no process " + pid + "; jcmd lists the JVMs that you may attach to");
    }
    return new RunningJvm(pid, jar(agent));
  }

  private static Path jar(@Nullable Path given) {
    if (given != null) {
      return existing(given).orElseThrow(() -> new CommandFailure(given + ": no such file"));
    }
    List<Path> places =
        Stream.of(
                Optional.ofNullable(System.getProperty(AGENT_PROPERTY)).map(Path::of),
                Optional.of(ownJar().resolveSibling(AGENT)),
                Optional.ofNullable(System.getProperty("camhook.home"))
                    .map(home -> Path.of(home, "agent", "target", AGENT)),
                Optional.of(ownJar().resolve("../../../agent/target").resolve(AGENT).normalize()))
            .flatMap(Optional::stream)
            .toList();
    return places.stream()
        .flatMap(place -> existing(place).stream())
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailure(
                    "no %s; looked for %s; name it with --agent".formatted(AGENT, places)));
  }

  private static Optional<Path> existing(Path file) {
    return Files.isRegularFile(file) ? Optional.of(file.toAbsolutePath()) : Optional.empty();
  }

  private static Path ownJar() {
    try {
      return Path.of(RunningJvm.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Sends the agent there a command.
   *
   * @param options as after {@code -javaagent:camhook-agent.jar=}
   * @throws CommandFailure if the JVM cannot be attached to, with the reason and what to do
   */
  Answer send(String options) throws IOException {
    VirtualMachine machine = attach();
    try {
      machine.loadAgent(agent.toString(), options);
      String reply = machine.getSystemProperties().getProperty(REPLY);
      if (reply == null) {
        throw new CommandFailure(
            "process "
                + pid
                + " took the agent, which gave no answer; its standard error says why");
      }
      List<String> lines = reply.lines().toList();
      return new Answer(lines.get(0).equals("ok"), lines.subList(1, lines.size()));
    } catch (AgentLoadException e) {
      throw new CommandFailure(
          "process %d does not load agents: %s; it was started with -XX:-EnableDynamicAgentLoading, or in a JVM without it: start it with -javaagent:%s"
              .formatted(pid, e.getMessage(), AGENT));
    } catch (AgentInitializationException e) {
      throw new CommandFailure(
          "the agent could not start in process %d: %s; its standard error says why"
              .formatted(pid, e.getMessage()));
    } finally {
      machine.detach();
    }
  }

  private VirtualMachine attach() {
    try {
      return VirtualMachine.attach(Long.toString(pid));
    } catch (AttachNotSupportedException | IOException e) {
      throw new CommandFailure(
          "cannot attach to process %d: %s; expected a JVM of the same user and the same container, started without -XX:+DisableAttachMechanism"
              .formatted(pid, e.getMessage()));
    } catch (NoClassDefFoundError e) {
      throw new CommandFailure("attaching needs a JDK; this is a Java runtime without jdk.attach");
    }
  }
}
