package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** For processes that refuse the agent, one line says so, and what to do. */
@Timeout(120)
class RunningJvmTest {
  @TempDir Path directory;
  private Path agent = Path.of("");
  private Process process;

  /** A program that runs until somebody ends it. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] args) throws Exception {
      System.out.println("here");
      System.out.flush();
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  @BeforeEach
  void makeAnAgent() throws Exception {
    agent = directory.resolve("agent.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Agent-Class", "none.Such");
    new JarOutputStream(Files.newOutputStream(agent), manifest).close();
  }

  @AfterEach
  void end() {
    if (process != null) {
      process.destroyForcibly();
    }
  }

  private long start(String... command) throws Exception {
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    assertThat(process.inputReader().readLine()).isEqualTo("here");
    return process.pid();
  }

  private long startJvm(String option) throws Exception {
    return start(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        option,
        "-cp",
        System.getProperty("java.class.path"),
        Waiting.class.getName());
  }

  private void assertRefused(long pid, String... words) {
    Invocation status = Invocation.of("status", pid, "--agent", agent);
    assertThat(status.status()).isEqualTo(1);
    assertThat(status.out()).isEmpty();
    assertThat(status.err().strip().lines()).hasSize(1);
    assertThat(status.err()).contains(words);
  }

  @Test
  void jvm_that_loads_no_agents_should_be_named_with_the_switch() throws Exception {
    long pid = startJvm("-XX:-EnableDynamicAgentLoading");
    assertRefused(
        pid,
        "process %d does not load agents".formatted(pid),
        "-XX:-EnableDynamicAgentLoading",
        "start it with -javaagent:camhook-agent.jar");
  }

  @Test
  void jvm_that_nobody_may_attach_to_should_be_named_with_the_switch() throws Exception {
    long pid = startJvm("-XX:+DisableAttachMechanism");
    assertRefused(
        pid,
        "cannot attach to process %d".formatted(pid),
        "the same user and the same container",
        "-XX:+DisableAttachMechanism");
  }

  @Test
  void process_that_is_no_jvm_should_be_refused() throws Exception {
    long pid = start("sh", "-c", "trap '' QUIT; echo here; exec sleep 100");
    assertRefused(pid, "cannot attach to process %d".formatted(pid));
  }

  @Test
  void agent_that_cannot_start_should_be_told_as_that() throws Exception {
    long pid = startJvm("-Dunused=1");
    assertRefused(pid, "the agent could not start in process %d".formatted(pid));
  }

  @Test
  void process_that_is_not_there_should_be_refused() {
    assertRefused(99_999_999, "no process 99999999; jcmd lists the JVMs that you may attach to");
  }
}
