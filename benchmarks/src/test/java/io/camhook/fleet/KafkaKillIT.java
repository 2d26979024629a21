package io.camhook.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs that send are killed with SIGKILL: everything that they counted as written is on the
 * topic.
 */
@Timeout(3600)
class KafkaKillIT extends WithBroker {
  /** 100 with -Pkills. */
  private static final int KILLS = Integer.getInteger("camhook.kills", 2);

  private static final int GAP = 5_000;

  @TempDir Path directory;

  private Process program(String topic, long spool, int first, int count) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            SendingProgram.class.getName(),
            broker.bootstrap(),
            topic,
            Long.toString(spool),
            directory.resolve("spool").toString(),
            Integer.toString(first),
            Integer.toString(count))
        .redirectErrorStream(true)
        .redirectOutput(output().toFile())
        .start();
  }

  private Path output() {
    return directory.resolve("out.txt");
  }

  /** The last number that the program printed; 0 before the first. */
  private int written() throws IOException {
    String text = Files.readString(output());
    String whole = text.substring(0, text.lastIndexOf('\n') + 1);
    List<String> lines = whole.lines().filter(line -> line.matches("\\d+")).toList();
    return lines.isEmpty() ? 0 : Integer.parseInt(lines.get(lines.size() - 1));
  }

  @ParameterizedTest
  @ValueSource(longs = {64 << 20, 0})
  void killed_program_should_have_sent_what_it_counted_as_written(long spool) throws Exception {
    String topic = "killed-" + spool;
    broker.topic(topic, 1, Map.of());
    Random random = new Random(17);
    Set<String> promised = new TreeSet<>();
    for (int kill = 0; kill < KILLS; kill++) {
      int first = kill * GAP;
      int least = 20 + random.nextInt(1500);
      Process process = program(topic, spool, first, GAP);
      Awaitility.await()
          .atMost(Duration.ofMinutes(2))
          .pollInterval(Duration.ofMillis(1))
          .until(() -> written() >= least || !process.isAlive());
      assertThat(process.isAlive()).as(Files.readString(output())).isTrue();
      process.destroyForcibly().waitFor();
      int count = written();
      for (int i = 0; i < count; i++) {
        promised.add(Fleet.id(first + i));
      }
    }
    // the next processes send the rest; each waits some seconds for that at its end
    int next = KILLS * GAP;
    do {
      Process last = program(topic, spool, next, 1);
      assertThat(last.waitFor()).as(Files.readString(output())).isZero();
      promised.add(Fleet.id(next++));
    } while (next < KILLS * GAP + 5 && isWaiting());
    System.out.print(Files.readString(output()));
    List<Capture> arrived = Fleet.all(broker.bootstrap(), topic, null);
    Set<String> ids = new LinkedHashSet<>(Fleet.ids(arrived));
    Set<String> missing = new TreeSet<>(promised);
    missing.removeAll(ids);
    System.out.printf(
        "%d kills, spool %d: %d captures promised, %d on the topic, %d of them twice%n",
        KILLS, spool, promised.size(), ids.size(), arrived.size() - new HashSet<>(ids).size());
    assertThat(missing).isEmpty();
    // the first arrivals are in order
    assertThat(List.copyOf(ids)).isSorted();
    assertThat(isWaiting()).isFalse();
  }

  /** Whether there is something in the spool. */
  private boolean isWaiting() throws IOException {
    if (!Files.exists(directory.resolve("spool"))) {
      return false;
    }
    try (Stream<Path> left = Files.list(directory.resolve("spool"))) {
      return left.findAny().isPresent();
    }
  }
}
