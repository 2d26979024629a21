package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.RecordingVerifier;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a recorder does while its disk fails, and afterwards. */
@Timeout(120)
class DiskFailureTest {
  private static final int BYTES = 40_000;
  private static final int SHARD_BYTES = 200_000;
  private static final String PAUSED =
      "captures cannot be written; it is tried again, and until then nothing is captured: ";

  @TempDir Path temp;
  private final FaultyFileSystem disk = new FaultyFileSystem();
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private Recorder recorder;
  private int submitted;

  private Path directory() {
    return temp.resolve("recording");
  }

  private void record(DiskLimits limits) {
    Path directory = disk.path(directory());
    Output output = new Output(directory.toString(), SHARD_BYTES, Permissions.OWNER, limits);
    recorder =
        new Recorder(
            new Limits(10 * BYTES, Limits.WhenFull.DROP, false),
            "there",
            () ->
                new DirectorySink(
                    RecordingWriter.open(directory, Run.begin(null, Map.of()), output)),
            new EventLog() {
              @Override
              public void info(String message) {
                log.add(message);
              }

              @Override
              public void warn(String message) {
                log.add(message);
              }

              @Override
              public void failure(String message, Throwable cause) {
                log.add(message + ": " + cause);
              }
            });
    recorder.model(new ModelInfo("net", List.of()));
  }

  /** Like an adapter: a request asks for admission first. */
  private boolean request() {
    submitted++;
    try (Admission admission = recorder.admit()) {
      return admission != null && recorder.submit(new HeapCapture(Captures.of(BYTES, submitted)));
    }
  }

  private void requestsUntilWritten(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(request()).isTrue();
      awaitWritten(recorder.counters().written() + recorder.status().queueLength());
    }
  }

  private void awaitWritten(long count) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(1))
        .until(() -> recorder.counters().written() >= count);
  }

  /** Waits until the recorder notices that captures were removed, and records again. */
  private void awaitRecovery(long removed, long written) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(1))
        .until(
            () ->
                recorder.status().losses().getOrDefault(Loss.REMOVED, 0L) == removed
                    && recorder.counters().written() == written
                    && recorder.status().state() == CaptureStatus.State.RECORDING);
  }

  private void awaitState(CaptureStatus.State state) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(1))
        .until(() -> recorder.status().state() == state);
  }

  /** All captures counted as written exist, and all counts add up. */
  private void closeAndCompare(int inDirectory) throws IOException {
    recorder.close();
    Counters counters = recorder.counters();
    assertThat(counters.fired()).isEqualTo(submitted);
    assertThat(counters.written() + counters.dropped() + counters.failed())
        .isEqualTo(counters.fired());
    assertThat(counters.written()).isEqualTo(inDirectory);
    RecordingVerifier.Verification verified = RecordingVerifier.verify(directory());
    assertThat(verified.damage()).isEmpty();
    assertThat(verified.cut()).isNull();
    assertThat(verified.captures()).isEqualTo(inDirectory);
    try (RecordingReader reader = RecordingReader.open(directory())) {
      assertThat(reader.manifest().model("net")).isPresent();
      assertThat(reader.isComplete()).isTrue();
    }
  }

  private static void delete(Path directory) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(directory)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.delete(file);
    }
  }

  @AfterEach
  void close() {
    disk.gate.countDown();
    if (recorder != null) {
      recorder.close();
    }
  }

  /** The disk is full at the first capture (0), within a shard, and at its end (5 captures). */
  @ParameterizedTest
  @ValueSource(ints = {0, 3, 5})
  void full_disk_should_pause_and_go_on_without_losing_what_was_accepted(int before)
      throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(before);
    disk.room.set(before == 0 ? 10 : 700);
    for (int i = 0; i < 2; i++) { // two requests in progress
      assertThat(recorder.submit(new HeapCapture(Captures.of(BYTES, ++submitted)))).isTrue();
    }
    awaitState(CaptureStatus.State.PAUSED);
    assertThat(recorder.status().reason()).contains("No space left on device");
    for (int i = 0; i < 20; i++) {
      assertThat(request()).isFalse();
    }
    disk.room.set(1 << 30);
    awaitWritten(before + 2);
    awaitState(CaptureStatus.State.RECORDING);
    requestsUntilWritten(3);
    closeAndCompare(before + 5);
    assertThat(recorder.status().losses()).isEqualTo(Map.of(Loss.PAUSED, 20L));
    assertThat(log).hasSize(3);
    assertThat(log.get(0)).startsWith(PAUSED).contains("No space left on device");
    assertThat(log.get(1))
        .matches("captures are written again, after .* s; 20 requests were not captured meanwhile");
    assertThat(log.get(2))
        .isEqualTo(
            "%d of %d captures written to there, 20 dropped, 0 failed (output paused after a failure: 20)"
                .formatted(before + 5, before + 25));
  }

  @Test
  void disk_errors_should_be_logged_once_a_cause_and_be_survived() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(2);
    for (String failure :
        List.of("Input/output error", "Stale file handle", "Input/output error")) {
      disk.writeFailure = failure;
      assertThat(request()).isTrue();
      awaitState(CaptureStatus.State.PAUSED);
      disk.writeFailure = null;
      awaitState(CaptureStatus.State.RECORDING);
    }
    requestsUntilWritten(1);
    closeAndCompare(6);
    assertThat(log.stream().filter(line -> line.startsWith(PAUSED)))
        .containsExactly(PAUSED + "Input/output error", PAUSED + "Stale file handle");
  }

  /** The next shard cannot be opened, because the process has no file descriptors left. */
  @Test
  void missing_file_descriptors_should_be_survived() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(5);
    disk.openFailure = "Too many open files";
    assertThat(request()).isTrue();
    awaitState(CaptureStatus.State.PAUSED);
    disk.openFailure = null;
    awaitState(CaptureStatus.State.RECORDING);
    closeAndCompare(6);
  }

  /** A read-only directory, or one on a read-only disk, before there is a recording. */
  @Test
  void directory_that_cannot_be_made_should_be_tried_again() throws IOException {
    record(DiskLimits.NONE);
    disk.openFailure = "Read-only file system";
    assertThat(request()).isTrue();
    awaitState(CaptureStatus.State.PAUSED);
    assertThat(log.get(0)).contains("Read-only file system");
    disk.openFailure = null;
    awaitState(CaptureStatus.State.RECORDING);
    closeAndCompare(1);
  }

  @Test
  void removed_directory_should_be_made_again_and_its_captures_not_count_as_written()
      throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(7);
    delete(directory());
    assertThat(request()).isTrue();
    awaitRecovery(7, 1);
    requestsUntilWritten(1);
    closeAndCompare(2);
    assertThat(recorder.status().losses()).isEqualTo(Map.of(Loss.REMOVED, 7L));
    assertThat(log.get(0)).contains("was removed or replaced while it was written");
  }

  @Test
  void replaced_directory_should_be_a_new_recording() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(2);
    Files.move(directory(), temp.resolve("moved"));
    Files.createDirectory(directory());
    assertThat(request()).isTrue();
    awaitRecovery(2, 1);
    closeAndCompare(1);
    assertThat(recorder.status().losses()).isEqualTo(Map.of(Loss.REMOVED, 2L));
    // the third was written there before the check, and then again to the right place
    assertThat(RecordingVerifier.verify(temp.resolve("moved")).captures()).isEqualTo(3);
  }

  @Test
  void removed_shard_should_not_take_others_with_it() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(6); // 5 fill the first shard
    Files.delete(directory().resolve("captures-000002.tar"));
    assertThat(request()).isTrue();
    awaitRecovery(1, 6);
    recorder.close();
    assertThat(recorder.counters()).isEqualTo(new Counters(7, 6, 0, 1));
    assertThat(RecordingVerifier.verify(directory()).captures()).isEqualTo(6);
  }

  @Test
  void truncated_shard_should_not_count_what_was_cut_off() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(3);
    Path shard = directory().resolve("captures-000001.tar");
    try (var channel =
        java.nio.channels.FileChannel.open(shard, java.nio.file.StandardOpenOption.WRITE)) {
      channel.truncate(60_000); // one whole capture
    }
    assertThat(request()).isTrue();
    awaitRecovery(2, 2);
    recorder.close();
    assertThat(recorder.counters()).isEqualTo(new Counters(4, 2, 0, 2));
    assertThat(RecordingVerifier.verify(directory()).captures()).isEqualTo(2);
  }

  /** A writer may be killed at any moment, also when it has just created a file. */
  @Test
  void shard_should_have_its_name_once_it_is_an_archive() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(SHARD_BYTES / BYTES);
    disk.gate = new CountDownLatch(1);
    assertThat(request()).isTrue(); // begins the second shard
    Awaitility.await().until(() -> Files.exists(directory().resolve("shard.tar.tmp")));
    try (Stream<Path> files = Files.list(directory())) {
      assertThat(files.filter(file -> file.toString().endsWith(".tar")))
          .containsExactly(directory().resolve("captures-000001.tar"));
    }
    disk.gate.countDown();
    awaitWritten(SHARD_BYTES / BYTES + 1);
    assertThat(directory().resolve("captures-000002.tar")).exists();
    assertThat(directory().resolve("shard.tar.tmp")).doesNotExist();
    closeAndCompare(SHARD_BYTES / BYTES + 1);
  }

  @Test
  void hanging_disk_should_neither_hold_requests_nor_the_end() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(1);
    disk.gate = new CountDownLatch(1);
    int accepted = 0;
    for (int i = 0; i < 2000; i++) {
      accepted += request() ? 1 : 0; // no request waits for the disk, which works only afterwards
    }
    assertThat(accepted).isEqualTo(10);
    assertThat(recorder.status().losses()).isEqualTo(Map.of(Loss.QUEUE_FULL, 1990L));
    disk.gate.countDown();
    awaitWritten(11);
    closeAndCompare(11);
  }

  @Test
  void disk_that_hangs_for_good_should_leave_counters_that_add_up() {
    record(DiskLimits.NONE);
    requestsUntilWritten(1);
    disk.gate = new CountDownLatch(1);
    request();
    request();
    CaptureQueue queue =
        new CaptureQueue(
            new CaptureSink() {
              @Override
              public void write(io.camhook.recording.Capture capture) throws IOException {
                try {
                  disk.gate.await();
                } catch (InterruptedException e) {
                  throw new IOException(e);
                }
              }

              @Override
              public void close(CaptureStatus status) {}
            },
            new Limits(10 * BYTES, Limits.WhenFull.DROP, false),
            (message, failure) -> {});
    queue.submit(new HeapCapture(Captures.of(BYTES, 1)));
    queue.submit(new HeapCapture(Captures.of(BYTES, 2)));
    Awaitility.await().until(() -> queue.status().queueLength() == 2);
    assertThat(queue.close(Duration.ofMillis(50))).isFalse();
    Counters counters = queue.counters();
    assertThat(counters.written() + counters.dropped() + counters.failed()).isEqualTo(2);
    disk.gate.countDown();
    assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
    counters = queue.counters();
    assertThat(counters.written() + counters.dropped() + counters.failed()).isEqualTo(2);
  }

  @Test
  void disk_limit_should_delete_the_oldest_shards() throws IOException {
    record(new DiskLimits(600_000, 0, null, DiskLimits.WhenFull.ROTATE));
    for (int i = 0; i < 40; i++) {
      requestsUntilWritten(1);
      assertThat(shardBytes()).isLessThanOrEqualTo(600_000);
    }
    recorder.close();
    assertThat(recorder.counters()).isEqualTo(new Counters(40, 40, 0, 0));
    RecordingVerifier.Verification verified = RecordingVerifier.verify(directory());
    assertThat(verified.damage()).isEmpty();
    assertThat(verified.captures()).isBetween(10L, 14L);
    try (RecordingReader reader = RecordingReader.open(directory())) {
      assertThat(reader.manifest().removed().captures()).isEqualTo(40 - verified.captures());
    }
  }

  @Test
  void disk_limit_should_stop_and_go_on_when_there_is_room() throws IOException {
    record(new DiskLimits(300_000, 0, null, DiskLimits.WhenFull.STOP));
    for (int i = 0; i < 8; i++) {
      request();
    }
    awaitState(CaptureStatus.State.PAUSED);
    assertThat(recorder.status().reason()).contains("limits.disk is 300000");
    long before = recorder.counters().written();
    assertThat(before).isBetween(5L, 7L);
    Files.delete(directory().resolve("captures-000001.tar"));
    awaitWritten(before + 1);
  }

  @Test
  void free_space_should_be_kept() throws IOException {
    disk.room.set(500_000);
    record(new DiskLimits(Long.MAX_VALUE, 200_000, null, DiskLimits.WhenFull.STOP));
    for (int i = 0; i < 10; i++) {
      request();
    }
    awaitState(CaptureStatus.State.PAUSED);
    assertThat(recorder.status().reason()).contains("limits.diskFree keeps 200000 free");
    assertThat(disk.room.get()).isGreaterThan(195_000);
    disk.room.set(1 << 30);
    awaitState(CaptureStatus.State.RECORDING);
    awaitWritten(10);
    closeAndCompare(10);
  }

  private long shardBytes() throws IOException {
    try (Stream<Path> files = Files.list(directory())) {
      return files
          .filter(file -> file.toString().endsWith(".tar"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  @Test
  void files_should_be_their_owners_alone() throws IOException {
    record(DiskLimits.NONE);
    requestsUntilWritten(1);
    recorder.close();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory())))
        .isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(directory())) {
      assertThat(files.toList())
          .hasSize(3)
          .allSatisfy(
              file ->
                  assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                      .isEqualTo("rw-------"));
    }
  }

  /**
   * Otherwise anyone who may write to the directory could overwrite any file of the process's user.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        ".lock",
        "captures-000001.tar",
        "shard.tar.tmp",
        "manifest.json.tmp",
        "manifest.json"
      })
  void symbolic_links_should_not_be_followed(String name) throws IOException {
    Path victim = Files.writeString(temp.resolve("victim"), "precious");
    record(DiskLimits.NONE);
    Files.createDirectories(directory());
    Files.createSymbolicLink(directory().resolve(name), victim);
    request();
    Awaitility.await()
        .until(
            () ->
                recorder.counters().written() == 1
                    || recorder.status().state() == CaptureStatus.State.PAUSED);
    recorder.close();
    assertThat(victim).hasContent("precious");
  }
}
