package io.camhook.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Safetensors;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A DJL service with the packaged agent sends to a topic, and the packaged command makes heatmaps
 * of it: what docs/fleet.md shows.
 */
@Timeout(600)
class KafkaAgentIT extends WithBroker {
  private static final Path ROOT = Path.of(System.getProperty("camhook.root"));
  private static final Pattern COUNTERS =
      Pattern.compile(
          "camhook: (\\d+) of (\\d+) captures written to topic .*, (\\d+) dropped, (\\d+)"
              + " failed.*");

  @TempDir Path directory;

  /** The counters that the agent logs at the end. */
  private record Counted(long written, long fired, long dropped, long failed) {}

  private void configure(String topic, String more) throws IOException {
    broker.topic(topic, 2, Map.of());
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - { name: service, layers: [01Conv2d] }
        limits: { close: 60s }
        output:
          kafka: { bootstrap: "%s", topic: %s%s }
        """
            .formatted(broker.bootstrap(), topic, more));
  }

  private Process service(String name, boolean agent, int least) throws IOException {
    List<String> command = new ArrayList<>(List.of(java(), "-Xmx256m", "-Dai.djl.offline=true"));
    if (agent) {
      command.add("-javaagent:" + ROOT.resolve("agent/target/camhook-agent.jar") + "=camhook.yaml");
    }
    command.addAll(
        List.of("-cp", applicationClassPath(), "app.Service", "stop", Integer.toString(least)));
    return start(name, command);
  }

  private Process start(String name, List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .directory(directory.toFile())
        .redirectOutput(directory.resolve(name + ".out").toFile())
        .redirectError(directory.resolve(name + ".err").toFile())
        .start();
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The service and DJL: neither camhook nor Kafka. */
  private static String applicationClassPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(
            entry ->
                entry.endsWith("test-classes")
                    || entry.endsWith(".jar")
                        && !entry.matches(".*(camhook|kafka|zstd|lz4|byte-buddy|jackson).*"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private String said(String file) throws IOException {
    return Files.readString(directory.resolve(file));
  }

  private Counted counted(String name) throws IOException {
    Matcher line =
        said(name + ".err")
            .lines()
            .map(COUNTERS::matcher)
            .filter(Matcher::matches)
            .findFirst()
            .get();
    System.out.println(line.group());
    return new Counted(
        Long.parseLong(line.group(1)),
        Long.parseLong(line.group(2)),
        Long.parseLong(line.group(3)),
        Long.parseLong(line.group(4)));
  }

  /** Runs {@code camhook process} to the end of the topic; the ids that it made heatmaps of. */
  private TreeSet<String> processed(String topic) throws Exception {
    Path maps = directory.resolve("maps");
    Process process =
        start(
            "process",
            List.of(
                java(),
                "-Djava.awt.headless=true",
                "-jar",
                ROOT.resolve("cam-processor/target/camhook.jar").toString(),
                "process",
                "kafka:" + broker.bootstrap() + "/" + topic,
                "-m",
                "gradcam",
                "-o",
                maps.toString()));
    assertThat(process.waitFor()).as(said("process.err")).isZero();
    TreeSet<String> ids = new TreeSet<>();
    try (Stream<Path> files = Files.list(maps)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
        assertThat(Safetensors.read(file).tensors()).containsKey("heatmap/gradcam");
        ids.add(file.getFileName().toString());
      }
    }
    return ids;
  }

  @Test
  void service_should_answer_the_same_and_each_of_its_captures_become_a_heatmap() throws Exception {
    Files.createFile(directory.resolve("stop"));
    configure("served", "");
    assertThat(service("plain", false, 100).waitFor()).as(said("plain.err")).isZero();
    assertThat(service("served", true, 100).waitFor()).as(said("served.err")).isZero();

    assertThat(said("served.out"))
        .startsWith("100 requests, 0 different")
        .isEqualTo(said("plain.out"));
    assertThat(counted("served")).isEqualTo(new Counted(100, 100, 0, 0));
    assertThat(processed("served")).hasSize(100);
  }

  @Test
  void broker_that_is_killed_should_cost_captures_and_no_answers() throws Exception {
    configure("killed-broker", "");
    Process service = service("killed", true, 100);
    try {
      await(() -> Fleet.first(20, broker.bootstrap(), "killed-broker", null).size() >= 20);
      broker.kill();
      await(() -> said("killed.err").contains("captures cannot be written"));
      broker.start();
      await(() -> said("killed.err").contains("captures are written again"));
      Files.createFile(directory.resolve("stop"));
      assertThat(service.waitFor()).as(said("killed.err")).isZero();
    } finally {
      service.destroyForcibly();
    }
    Counted counted = counted("killed");
    assertThat(said("killed.out")).startsWith(counted.fired() + " requests, 0 different");
    assertThat(counted.dropped()).isPositive();
    assertThat(counted.failed()).isZero();
    assertThat(counted.written() + counted.dropped()).isEqualTo(counted.fired());
    // idempotent: none twice, although the producer tried again
    assertThat(Fleet.ids(Fleet.all(broker.bootstrap(), "killed-broker", null)))
        .doesNotHaveDuplicates()
        .hasSize((int) counted.written());
  }

  @Test
  void spool_should_bring_the_captures_of_a_time_without_broker() throws Exception {
    Files.createFile(directory.resolve("stop"));
    configure("spooled-service", ", spool: 256MiB, spoolDirectory: spool");
    broker.kill();
    try {
      Process away = service("away", true, 100);
      await(() -> said("away.out").startsWith("100 requests, 0 different"));
    } finally {
      broker.start();
    }
    await(() -> said("away.err").contains("captures written to"));
    Counted counted = counted("away");
    assertThat(counted).isEqualTo(new Counted(100, 100, 0, 0));
    // what its end did not wait for, the next start of the service sends
    assertThat(service("next", true, 1).waitFor()).as(said("next.err")).isZero();
    await(() -> new TreeSet<>(Fleet.ids(topic("spooled-service"))).size() == 101);
    assertThat(processed("spooled-service")).hasSize(101);
  }

  private static List<io.camhook.recording.Capture> topic(String name) throws IOException {
    return Fleet.all(broker.bootstrap(), name, null);
  }

  private static void await(java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await().atMost(Duration.ofMinutes(2)).until(condition);
  }
}
