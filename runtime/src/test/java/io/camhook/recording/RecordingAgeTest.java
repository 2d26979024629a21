package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code limits.maxAge}, also while the clock is set. */
class RecordingAgeTest {
  private static final int SHARD_BYTES = 4096;

  @TempDir Path directory;

  private RecordingWriter open() throws IOException {
    DiskLimits week =
        new DiskLimits(Long.MAX_VALUE, 0, Duration.ofDays(7), DiskLimits.WhenFull.ROTATE);
    return RecordingWriter.open(
        directory,
        Run.begin(null, Map.of()),
        new Output(directory.toString(), SHARD_BYTES, Permissions.OWNER, week));
  }

  private List<Integer> shards() throws IOException {
    return ShardFile.list(directory).stream().map(ShardFile::number).toList();
  }

  private void write(RecordingWriter writer) throws IOException {
    int number = 0;
    while (shards().size() < 4) {
      writer.append(RecordingTest.capture(number++));
    }
  }

  private void date(int shard, Duration ago) throws IOException {
    Files.setLastModifiedTime(
        ShardFile.of(directory, shard).path(), FileTime.from(Instant.now().minus(ago)));
  }

  private static void note(RecordingWriter writer) throws IOException {
    writer.note(new Counters(writer.captures(), writer.captures(), 0, 0), Map.of());
  }

  @Test
  void old_shards_of_earlier_processes_should_be_deleted() throws IOException {
    try (RecordingWriter writer = open()) {
      write(writer);
    }
    date(1, Duration.ofDays(9));
    date(2, Duration.ofDays(8));
    date(3, Duration.ofDays(6));
    try (RecordingWriter writer = open()) {
      note(writer);
      assertThat(shards()).containsExactly(3, 4);
      assertThat(writer.rotated()).isPositive();
      assertThat(writer.gone()).isZero();
    }
    assertThat(RecordingVerifier.verify(directory).damage()).isEmpty();
  }

  /** The clock is set forward by a month: files of a minute ago look a month old. */
  @Test
  void clock_that_is_set_should_not_make_shards_old() throws IOException {
    try (RecordingWriter writer = open()) {
      write(writer);
      date(1, Duration.ofDays(30));
      date(2, Duration.ofDays(30));
      note(writer);
      assertThat(shards()).containsExactly(1, 2, 3, 4);
    }
  }

  /** It is set back: files of earlier processes come from the future. */
  @Test
  void shards_of_the_future_should_be_kept() throws IOException {
    try (RecordingWriter writer = open()) {
      write(writer);
    }
    date(1, Duration.ofDays(-30));
    try (RecordingWriter writer = open()) {
      note(writer);
      assertThat(shards()).containsExactly(1, 2, 3, 4);
    }
  }
}
