package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.tools.attach.VirtualMachine;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The agent attaches to a JVM that predicts, detaches and attaches again. */
class AttachIT {
  private static final Duration LONG = Duration.ofSeconds(120);
  private static final String WOVEN = "ai.djl.nn.AbstractBaseBlock";
  private static final String ADAPTER = "io.camhook.djl.";

  @TempDir Path directory;
  private Path spy = Path.of("");
  private @Nullable Process process;

  @BeforeEach
  void serve() throws Exception {
    spy = spy();
    Files.copy(
        Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt"),
        directory.resolve("net.pt"));
    process =
        new ForkedJvm(directory)
            .jvm("-Xmx256m", "-XX:+UseSerialGC")
            .start(ForkedJvm.applications() + File.pathSeparator + ForkedJvm.engine(), "app.Serve");
    awaitOutput("serving tiny");
    awaitOutput("serving net");
  }

  @AfterEach
  void end() {
    if (process != null) {
      process.destroyForcibly();
    }
  }

  @Test
  void attach_and_detach_should_leave_bytecode_threads_and_answers_as_they_were() throws Exception {
    String before = ask(WOVEN).getProperty("app.bytecode");
    assertThat(before).contains("AbstractBaseBlock=");

    yaml("first", "0*Linear");
    assertThat(agent("command=attach,config=" + directory.resolve("first.yaml"))).startsWith("ok");
    assertThat(ask(WOVEN).getProperty("app.bytecode")).isNotEqualTo(before);
    awaitCaptures();
    assertThat(agent("command=attach,config=" + directory.resolve("first.yaml")))
        .startsWith("failed\nthe agent is here already, since ")
        .contains("(detach it first)");
    assertThat(agent("command=detach")).startsWith("ok").contains("detached");

    Properties after = ask(WOVEN);
    assertThat(after.getProperty("app.bytecode")).isEqualTo(before);
    assertThat(after.getProperty("app.threads")).doesNotContain("camhook");
    assertThat(ask(ADAPTER).getProperty("app.classes")).isEqualTo("{}");
    assertThat(layers("first"))
        .contains("activation/02Linear", "gradient/02Linear") // of blocks that were there before
        .contains("output.0")
        .doesNotContain("activation/features");
    assertThat(agent("command=status")).isEqualTo("ok\nno camhook is at work in this JVM");
    assertStopped();
  }

  /** Minutes on a busy machine: run it with {@code -Dcamhook.attach=repeat}. */
  @Test
  @EnabledIfSystemProperty(named = "camhook.attach", matches = "repeat")
  void torchscript_model_should_be_looked_into_once_the_application_has_loaded_it_again()
      throws Exception {
    yaml("first", "0*Linear");
    agent("command=attach,config=" + directory.resolve("first.yaml"));
    Files.createFile(directory.resolve("reload"));
    awaitOutput("loaded again");
    awaitCaptures();
    Awaitility.await().atMost(LONG).until(() -> Files.notExists(directory.resolve("reload")));
    long captures = captures();
    Awaitility.await().atMost(LONG).until(() -> captures() > captures + 20);
    agent("command=detach");

    assertThat(layers("first")).contains("activation/features", "gradient/features");
    assertStopped();
  }

  /** Minutes on a busy machine: run it with {@code -Dcamhook.attach=repeat}. */
  @Test
  @EnabledIfSystemProperty(named = "camhook.attach", matches = "repeat")
  void attaching_twenty_times_should_keep_memory_flat() throws Exception {
    yaml("first", "0*Linear");
    yaml("second", "04Linear");
    State early = null;
    for (int i = 0; i < 20; i++) {
      String file = i % 2 == 0 ? "first" : "second";
      assertThat(agent("command=attach,config=" + directory.resolve(file + ".yaml")))
          .startsWith("ok");
      awaitCaptures();
      assertThat(agent("command=detach")).startsWith("ok").contains(" 0 failed");
      if (i == 9) {
        early = state();
      }
    }
    State late = state();
    System.out.println("after 10 attaches " + early + ", after 20 " + late);
    assertThat(ask(ADAPTER).getProperty("app.classes")).isEqualTo("{}");
    assertThat(late.threads()).isEqualTo(Objects.requireNonNull(early).threads());
    // Each time that a class is retransformed, the JVM creates its lambdas again (some 40 per
    // attach) and keeps the old ones. A leaked adapter would add 300 per attach.
    assertThat((double) late.classes()).isCloseTo(early.classes(), within(10 * 60.0));
    assertThat((double) late.heap()).isCloseTo(early.heap(), within(2e6));
    // Ten more attaches must cost nothing; the allocator's arenas settle within some megabytes.
    assertThat((double) late.resident()).isCloseTo(early.resident(), within(40e6));
    assertStopped();
  }

  /** Of the program, with no agent in it. */
  private record State(String threads, long classes, long heap, long resident) {}

  private State state() throws Exception {
    Properties seen = ask(WOVEN);
    return new State(
        // a thread that the JDK keeps for a minute after a process that DJL has started
        seen.getProperty("app.threads").replace(", process reaper", ""),
        Long.parseLong(seen.getProperty("app.loaded")),
        Long.parseLong(seen.getProperty("app.heap")),
        resident());
  }

  private Process process() {
    return Objects.requireNonNull(process);
  }

  private void yaml(String name, String layers) throws IOException {
    Files.writeString(
        directory.resolve(name + ".yaml"),
        """
        models:
          - { name: tiny, layers: ["%s"] }
          - { name: net, layers: [features] }
        sampling: { maxPerSecond: 50 }
        output: { directory: %s }
        """
            .formatted(layers, directory.resolve(name)));
  }

  /** Loads the agent and returns its answer. */
  private String agent(String options) throws Exception {
    return load(ForkedJvm.AGENT, options).getProperty("camhook.reply");
  }

  /** What {@code app.Bytecode} sees. */
  private Properties ask(String prefix) throws Exception {
    return load(spy, prefix);
  }

  private Properties load(Path jar, String options) throws Exception {
    VirtualMachine machine = VirtualMachine.attach(Long.toString(process().pid()));
    try {
      machine.loadAgent(jar.toAbsolutePath().toString(), options);
      return machine.getSystemProperties();
    } finally {
      machine.detach();
    }
  }

  private long captures() throws Exception {
    String line =
        agent("command=status").lines().filter(l -> l.startsWith("captures: ")).findFirst().get();
    return Long.parseLong(line.split(" ")[1]);
  }

  private void awaitCaptures() {
    Awaitility.await().atMost(LONG).until(() -> captures() > 3);
  }

  private void awaitOutput(String text) {
    Awaitility.await()
        .atMost(LONG)
        .until(() -> Files.readString(directory.resolve("out.txt")).contains(text));
  }

  private Set<String> layers(String recording) throws IOException {
    Set<String> names = new TreeSet<>();
    try (RecordingReader reader = RecordingReader.open(directory.resolve(recording))) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        names.addAll(capture.tensors().keySet());
      }
    }
    return names;
  }

  private long resident() throws IOException {
    return Files.readAllLines(Path.of("/proc/" + process().pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow();
  }

  private void assertStopped() throws Exception {
    Files.createFile(directory.resolve("stop"));
    assertThat(process().waitFor()).isZero();
    assertThat(Files.readString(directory.resolve("out.txt"))).contains("different 0 of some true");
    assertThat(Files.readString(directory.resolve("err.txt"))).doesNotContain("\tat ");
  }

  private Path spy() throws IOException {
    Path jar = directory.resolve("spy.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Agent-Class", "app.Bytecode");
    manifest.getMainAttributes().putValue("Can-Retransform-Classes", "true");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      for (String name : new String[] {"app/Bytecode.class", "app/Bytecode$1.class"}) {
        out.putNextEntry(new JarEntry(name));
        Files.copy(Path.of(ForkedJvm.applications(), name), out);
      }
    }
    return jar;
  }
}
