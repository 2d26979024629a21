package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.RecordingVerifier;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Another JVM writes; it is killed with SIGKILL, or it just ends. */
@Timeout(1800)
class KilledRecordingTest {
  /** 100 with -Pkills. */
  private static final int KILLS = Integer.getInteger("camhook.kills", 2);

  @TempDir Path directory;

  private Process fork(Path recording, long count) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            EndlessRecording.class.getName(),
            recording.toString(),
            Long.toString(count))
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("out.txt").toFile())
        .start();
  }

  /** Bytes of all shards. */
  private static long size(Path recording) throws IOException {
    long size = 0;
    for (int i = 1; Files.exists(shard(recording, i)); i++) {
      size += Files.size(shard(recording, i));
    }
    return size;
  }

  private static long count(Path recording) throws IOException {
    try (RecordingReader reader = RecordingReader.open(recording)) {
      return reader.ids().size();
    }
  }

  private static Path shard(Path recording, int number) {
    return recording.resolve("captures-%06d.tar".formatted(number));
  }

  @Test
  void killed_recording_should_lose_at_most_the_capture_being_written() throws Exception {
    Path recording = directory.resolve("recording");
    Random random = new Random(17);
    for (int kill = 1; kill <= KILLS; kill++) {
      long before = size(recording);
      long growth = (12 << 20) + random.nextInt(4 << 20);
      Process process = fork(recording, Long.MAX_VALUE);
      Awaitility.await()
          .atMost(1, TimeUnit.MINUTES)
          .pollInterval(1, TimeUnit.MILLISECONDS)
          .until(() -> size(recording) > before + growth);
      long seen = count(recording); // by a reader outside of the process
      process.destroyForcibly().waitFor();
      assertThat(count(recording)).isGreaterThanOrEqualTo(seen);
      untar(recording);
      long captures = 0;
      try (RecordingReader reader = RecordingReader.open(recording)) {
        assertThat(reader.isComplete()).isFalse();
        for (Capture c = reader.next(); c != null; c = reader.next()) {
          captures++;
        }
      }
      assertThat(captures).isGreaterThan(20);
      RecordingVerifier.Verification verification = RecordingVerifier.verify(recording);
      assertThat(verification.captures()).isEqualTo(captures);
      assertThat(verification.damage()).isEmpty();
      if (verification.cut() != null) {
        assertThat(verification.cut().what()).contains("of a capture that was being written");
      }
    }
    RecordingWriter writer = RecordingWriter.open(recording, Run.begin(null, Map.of()), 8 << 20);
    assertThat(writer.recovered()).hasSizeLessThanOrEqualTo(1);
    writer.close();
    assertThat(RecordingVerifier.verify(recording).damage()).isEmpty();
  }

  /** Every shard opens with tar, which neither complains nor fails. */
  private void untar(Path recording) throws IOException, InterruptedException {
    Path out = directory.resolve("tar.txt");
    for (int i = 1; Files.exists(shard(recording, i)); i++) {
      Process tar =
          new ProcessBuilder("tar", "xf", shard(recording, i).toString(), "-O")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(out.toFile())
              .start();
      int status = tar.waitFor();
      assertThat(status).as("tar xf shard %d: %s", i, Files.readString(out)).isZero();
      assertThat(out).hasContent("");
    }
  }

  @Test
  void recording_should_be_complete_when_the_jvm_ends() throws Exception {
    Path recording = directory.resolve("recording");
    Process process = fork(recording, 100);
    assertThat(process.waitFor()).isZero();
    assertThat(Files.readAllLines(directory.resolve("out.txt"))).isEqualTo(List.of("recording"));
    RecordingVerifier.Verification verification = RecordingVerifier.verify(recording);
    assertThat(verification.damage()).isEmpty();
    assertThat(verification.captures()).isEqualTo(100);
    try (RecordingReader reader = RecordingReader.open(recording)) {
      assertThat(reader.isComplete()).isTrue();
      assertThat(reader.manifest().runs())
          .singleElement()
          .extracting(Run::counters)
          .isEqualTo(new Counters(100, 100, 0, 0));
    }
  }
}
