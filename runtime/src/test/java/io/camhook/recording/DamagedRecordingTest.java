package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three captures in one shard, then damage of every kind. */
class DamagedRecordingTest {
  @TempDir Path directory;
  private Path shard;
  private long entryBytes;

  @BeforeEach
  void record() throws IOException {
    RecordingTest.record(directory, 0, 3);
    shard = directory.resolve("captures-000001.tar");
    entryBytes = (Files.size(shard) - TarHeader.END_BYTES) / 3;
  }

  private void truncate(long size) throws IOException {
    try (FileChannel channel = FileChannel.open(shard, StandardOpenOption.WRITE)) {
      channel.truncate(size);
    }
  }

  private void overwrite(long at, byte... bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(shard, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), at);
    }
  }

  private List<String> readable() throws IOException {
    try (RecordingReader reader = RecordingReader.open(directory)) {
      return RecordingTest.ids(reader);
    }
  }

  private List<Damage> damageSeenByReader() throws IOException {
    try (RecordingReader reader = RecordingReader.open(directory)) {
      RecordingTest.ids(reader);
      return reader.damage();
    }
  }

  private List<Damage> damage() throws IOException {
    List<Damage> all = RecordingVerifier.verify(directory).damage();
    // the counters say 3 captures: noticed in every case, asserted once below
    return all.stream().filter(d -> !d.shard().equals("manifest.json")).toList();
  }

  @Test
  void shard_cut_anywhere_should_lose_only_what_was_cut() throws IOException {
    byte[] whole = Files.readAllBytes(shard);
    Random random = new Random(7);
    for (int i = 0; i < 60; i++) {
      int size = random.nextInt(whole.length + 1);
      Files.write(shard, java.util.Arrays.copyOf(whole, size));
      // the last byte of an entry is padding, so an entry is there once its blob is
      int expected = (int) Math.min(3, (size + TarHeader.BLOCK) / entryBytes);
      List<String> ids = readable();
      assertThat(ids.size()).as("cut at %d", size).isBetween((int) (size / entryBytes), expected);
      try (RecordingWriter writer = RecordingTest.open(directory, 1 << 20)) {
        writer.append(RecordingTest.capture(9));
      }
      ids.add("c-0009");
      assertThat(readable()).isEqualTo(ids);
      assertThat(damage()).isEmpty();
    }
  }

  @Test
  void torn_tail_should_be_reported_and_cut_off() throws IOException {
    truncate(3 * entryBytes - 2000);
    assertThat(readable()).containsExactly("c-0000", "c-0001");
    assertThat(damageSeenByReader()).isEqualTo(damage());
    assertThat(damage())
        .singleElement()
        .hasToString(
            "captures-000001.tar at byte %d: expected a whole entry, found %d bytes of one"
                .formatted(2 * entryBytes, entryBytes - 2000));
    try (RecordingWriter writer = RecordingTest.open(directory, 1 << 20)) {
      assertThat(writer.recovered())
          .singleElement()
          .extracting(Damage::offset)
          .isEqualTo(2 * entryBytes);
      writer.append(RecordingTest.capture(5));
    }
    assertThat(readable()).containsExactly("c-0000", "c-0001", "c-0005");
    assertThat(damage()).isEmpty();
  }

  @Test
  void bytes_of_an_unfinished_capture_should_be_reported_and_cut_off() throws IOException {
    long end = 3 * entryBytes;
    overwrite(end + TarHeader.END_BYTES, new byte[] {1, 2, 3});
    assertThat(readable()).hasSize(3);
    assertThat(damage())
        .singleElement()
        .extracting(Damage::what)
        .asString()
        .contains("found 1027 bytes of a capture that was being written");
    RecordingTest.open(directory, 1 << 20).close();
    assertThat(Files.size(shard)).isEqualTo(end + TarHeader.END_BYTES);
    assertThat(damage()).isEmpty();
  }

  @Test
  void damaged_tensor_should_be_named_and_skipped() throws IOException {
    overwrite(2 * entryBytes - 1500, new byte[] {99});
    assertThat(readable()).containsExactly("c-0000", "c-0002");
    assertThat(damageSeenByReader()).isEqualTo(damage());
    assertThat(damage())
        .singleElement()
        .asString()
        .startsWith(
            "captures-000001.tar at byte "
                + entryBytes
                + ", c-0001: capture: expected tensors with CRC32C ");
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThatThrownBy(() -> reader.find("c-0001"))
          .isInstanceOf(RecordingException.class)
          .hasMessageContaining("c-0001: capture: expected tensors with CRC32C");
    }
  }

  @Test
  void damage_before_intact_captures_should_survive_continuing() throws IOException {
    overwrite(2 * entryBytes - 1500, new byte[] {99});
    try (RecordingWriter writer = RecordingTest.open(directory, 1 << 20)) {
      assertThat(writer.recovered()).extracting(Damage::id).containsExactly("c-0001");
      writer.append(RecordingTest.capture(3));
    }
    assertThat(readable()).containsExactly("c-0000", "c-0002", "c-0003");
  }

  @Test
  void damaged_last_capture_should_be_cut_off() throws IOException {
    overwrite(3 * entryBytes - 1500, new byte[] {99});
    RecordingTest.open(directory, 1 << 20).close();
    assertThat(Files.size(shard)).isEqualTo(2 * entryBytes + TarHeader.END_BYTES);
    assertThat(damage()).isEmpty();
  }

  @Test
  void damaged_header_should_be_skipped_to_the_next() throws IOException {
    overwrite(entryBytes + 3, new byte[] {99});
    assertThat(readable()).containsExactly("c-0000", "c-0002");
    assertThat(damage())
        .singleElement()
        .hasToString(
            "captures-000001.tar at byte %d: expected a tar entry, found the next one at %d"
                .formatted(entryBytes, 2 * entryBytes));
  }

  @Test
  void zeroed_header_should_be_skipped_to_the_next() throws IOException {
    overwrite(entryBytes, new byte[1024]);
    assertThat(readable()).containsExactly("c-0000", "c-0002");
    assertThat(damage()).hasSize(1);
  }

  @Test
  void counters_should_be_compared_with_what_is_there() throws IOException {
    truncate(2 * entryBytes);
    assertThat(RecordingVerifier.verify(directory).damage())
        .extracting(Damage::toString)
        .contains(
            "manifest.json at byte 0: expected 3 captures, as its counters say, found 2 intact");
  }

  @Test
  void missing_shard_should_be_named() throws IOException {
    Files.move(shard, directory.resolve("captures-000002.tar"));
    assertThat(damage())
        .singleElement()
        .hasToString("captures-000001.tar at byte 0: the shard is missing");
    assertThat(readable()).hasSize(3);
  }

  @Test
  void entry_with_another_name_should_be_named() throws IOException {
    byte[] old = java.util.Arrays.copyOf(Files.readAllBytes(shard), 512);
    TarHeader first = TarHeader.read(old, "test");
    overwrite(0, TarHeader.write("other.safetensors", first.size(), java.time.Instant.EPOCH));
    assertThat(damage())
        .singleElement()
        .extracting(Damage::what)
        .isEqualTo("capture: expected the id of its tar entry, found c-0000");
  }

  @Test
  void random_damage_should_never_break_reading() throws IOException {
    byte[] whole = Files.readAllBytes(shard);
    Random random = new Random(11);
    for (int i = 0; i < 500; i++) {
      byte[] damaged = whole.clone();
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        int at = random.nextInt(damaged.length);
        int length = Math.min(damaged.length - at, 1 + random.nextInt(600));
        for (int k = 0; k < length; k++) {
          damaged[at + k] = (byte) random.nextInt();
        }
      }
      Files.write(shard, damaged);
      List<String> ids = readable();
      assertThat(List.of("c-0000", "c-0001", "c-0002")).containsAll(ids);
      assertThat(ids).isSorted();
      assertThat(RecordingVerifier.verify(directory).captures()).isEqualTo(ids.size());
    }
  }

  /** Verifying, reading and continuing finish, and name the place. */
  @Test
  @Timeout(30)
  void negative_size_in_a_tar_header_should_be_damage() throws IOException {
    byte[] block = TarHeader.write("c-0001.safetensors", 100, Instant.EPOCH);
    System.arraycopy("-0000001000".getBytes(StandardCharsets.US_ASCII), 0, block, 124, 11);
    TarHeaderTest.seal(block);
    overwrite(entryBytes, block);
    assertThat(readable()).containsExactly("c-0000", "c-0002");
    assertThat(damage()).isNotEmpty();
    try (RecordingWriter writer = RecordingTest.open(directory, 1 << 20)) {
      writer.append(RecordingTest.capture(5));
    }
    assertThat(readable()).containsExactly("c-0000", "c-0002", "c-0005");
  }

  /** What a killed writer leaves is distinguished from damage: no written capture is missing. */
  @Test
  void tail_of_a_run_that_was_killed_should_be_no_damage() throws IOException {
    Path killed = directory.resolve("killed");
    RecordingWriter writer = RecordingTest.open(killed, 1 << 20);
    writer.append(RecordingTest.capture(0));
    writer.append(RecordingTest.capture(1));
    writer.note(new Counters(2, 2, 0, 0), Map.of());
    Path copy = directory.resolve("copy"); // the state of the disk when the process is killed
    Files.createDirectory(copy);
    for (String name : List.of("manifest.json", "captures-000001.tar")) {
      Files.copy(killed.resolve(name), copy.resolve(name));
    }
    writer.close();
    Path tar = copy.resolve("captures-000001.tar");
    long end = Files.size(tar);
    Files.write(tar, new byte[] {1, 2, 3}, StandardOpenOption.APPEND);
    RecordingVerifier.Verification verified = RecordingVerifier.verify(copy);
    assertThat(verified.damage()).isEmpty();
    assertThat(verified.cut()).isNotNull();
    assertThat(verified.captures()).isEqualTo(2);

    try (FileChannel channel = FileChannel.open(tar, StandardOpenOption.WRITE)) {
      channel.truncate(end - TarHeader.END_BYTES - 600);
    }
    assertThat(RecordingVerifier.verify(copy).damage())
        .singleElement()
        .asString()
        .contains("expected at least 2 captures, as its counters say, found 1 intact");
  }
}
