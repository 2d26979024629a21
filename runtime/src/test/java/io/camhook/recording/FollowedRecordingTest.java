package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A reader that follows a recording, whatever writers do. */
@Timeout(120)
class FollowedRecordingTest {
  @TempDir Path temp;

  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final AtomicBoolean stop = new AtomicBoolean();

  private CompletableFuture<Void> follow(Path directory, boolean forever) {
    return CompletableFuture.runAsync(
        () -> {
          try (RecordingReader reader = RecordingReader.await(directory, stop::get)) {
            while (reader != null) {
              Capture capture = reader.follow(stop::get, forever);
              if (capture == null) {
                return;
              }
              seen.add(capture.id());
            }
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void write(RecordingWriter writer, int first, int last) throws IOException {
    for (int i = first; i < last; i++) {
      writer.append(RecordingTest.capture(i));
    }
  }

  private static RecordingWriter open(Path directory) throws IOException {
    return RecordingWriter.open(directory, Run.begin(null, Map.of()), 4096);
  }

  private static List<String> ids(int first, int last) {
    return IntStream.range(first, last).mapToObj(i -> RecordingTest.capture(i).id()).toList();
  }

  private void await(int count) {
    Awaitility.await().atMost(1, TimeUnit.MINUTES).until(() -> seen.size() >= count);
  }

  @Test
  void reader_that_comes_first_should_read_all_over_many_shards() throws Exception {
    Path directory = temp.resolve("later");
    CompletableFuture<Void> reading = follow(directory, false);
    try (RecordingWriter writer = open(directory)) {
      write(writer, 0, 40);
    }
    reading.get(1, TimeUnit.MINUTES);
    assertThat(seen).isEqualTo(ids(0, 40));
  }

  @Test
  void reader_should_go_on_with_the_next_writer() throws Exception {
    Path directory = temp.resolve("restarted");
    CompletableFuture<Void> reading = follow(directory, true);
    try (RecordingWriter writer = open(directory)) {
      write(writer, 0, 10);
    }
    await(10);
    try (RecordingWriter writer = open(directory)) {
      write(writer, 10, 20);
    }
    await(20);
    stop.set(true);
    reading.get(1, TimeUnit.MINUTES);
    assertThat(seen).isEqualTo(ids(0, 20));
  }

  @Test
  void recording_that_was_replaced_should_be_read_from_its_start() throws Exception {
    Path directory = temp.resolve("replaced");
    CompletableFuture<Void> reading = follow(directory, true);
    try (RecordingWriter writer = open(directory)) {
      write(writer, 0, 10);
    }
    await(10);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    try (RecordingWriter writer = open(directory)) {
      write(writer, 10, 20);
    }
    await(20);
    stop.set(true);
    reading.get(1, TimeUnit.MINUTES);
    assertThat(seen).isEqualTo(ids(0, 20));
  }

  @Test
  void shards_that_are_rotated_away_should_not_stop_the_reader() throws Exception {
    Path directory = temp.resolve("rotated");
    CompletableFuture<Void> reading = follow(directory, false);
    Output output =
        new Output(
            directory.toString(),
            4096,
            Permissions.OWNER,
            new DiskLimits(64 << 10, 0, null, DiskLimits.WhenFull.ROTATE));
    try (RecordingWriter writer =
        RecordingWriter.open(directory, Run.begin(null, Map.of()), output)) {
      write(writer, 0, 300);
      assertThat(writer.rotated()).isPositive();
    }
    reading.get(1, TimeUnit.MINUTES);
    List<String> all = new ArrayList<>(ids(0, 300));
    assertThat(seen).doesNotHaveDuplicates().isSorted();
    assertThat(all).containsAll(seen);
    assertThat(seen).contains(all.get(299));
  }
}
