package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest {
  private static final long MEBIBYTE = 1 << 20;

  @TempDir Path directory;

  /** A capture of 1000 floats, all {@code i}. */
  static Capture capture(int i) {
    float[] values = new float[1000];
    java.util.Arrays.fill(values, i);
    return Capture.builder("net")
        .id("c-%04d".formatted(i))
        .time(Instant.EPOCH.plusSeconds(i))
        .tensor(
            TensorName.activation(LayerOutput.of("layer4")), Tensor.ofFloats(values, 1, 10, 10, 10))
        .build();
  }

  static RecordingWriter open(Path directory, long shardBytes) throws IOException {
    return RecordingWriter.open(
        directory, Run.begin("version: 1", Map.of("djl", "0.35.1")), shardBytes);
  }

  static void record(Path directory, int from, int to) throws IOException {
    try (RecordingWriter writer = open(directory, MEBIBYTE)) {
      for (int i = from; i < to; i++) {
        writer.append(capture(i));
      }
    }
  }

  static List<String> ids(RecordingReader reader) throws IOException {
    List<String> ids = new ArrayList<>();
    for (Capture c = reader.next(); c != null; c = reader.next()) {
      ids.add(c.id());
    }
    return ids;
  }

  static String run(Path in, String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(in.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  @Test
  void recording_should_give_back_what_was_written_in_order() throws IOException {
    record(directory, 0, 20);
    try (RecordingReader reader = RecordingReader.open(directory)) {
      for (int i = 0; i < 20; i++) {
        Capture read = reader.next();
        assertThat(read.id()).isEqualTo(capture(i).id());
        assertThat(read.tensors().get("activation/layer4").toFloats()).containsOnly(i);
      }
      assertThat(reader.next()).isNull();
      assertThat(reader.damage()).isEmpty();
    }
    assertThat(RecordingVerifier.verify(directory).damage()).isEmpty();
    assertThat(RecordingVerifier.verify(directory).captures()).isEqualTo(20);
  }

  @Test
  void shards_should_roll_by_size() throws IOException {
    // an entry is 512 + 4000 + about 500 bytes of header, padded: two reach 9000, so shards take
    // two
    try (RecordingWriter writer = open(directory, 9_000)) {
      for (int i = 0; i < 5; i++) {
        writer.append(capture(i));
      }
    }
    assertThat(directory)
        .isDirectoryContaining("glob:**/captures-000003.tar")
        .isDirectoryNotContaining("glob:**/captures-000004.tar");
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(reader.ids()).hasSize(5);
      assertThat(ids(reader)).containsExactly("c-0000", "c-0001", "c-0002", "c-0003", "c-0004");
    }
  }

  @Test
  void shard_should_unpack_with_tar_while_it_is_written_and_after()
      throws IOException, InterruptedException {
    Path unpacked = Files.createDirectory(directory.resolve("unpacked"));
    Path recording = directory.resolve("recording");
    try (RecordingWriter writer = open(recording, MEBIBYTE)) {
      writer.append(capture(1));
      writer.append(capture(2));
      String shard = recording.resolve("captures-000001.tar").toString();
      assertThat(run(unpacked, "tar", "xf", shard)).isEmpty();
      assertThat(unpacked.resolve("c-0002.safetensors")).exists();
      writer.append(capture(3));
    }
    assertThat(run(unpacked, "tar", "tf", recording.resolve("captures-000001.tar").toString()))
        .isEqualTo("c-0001.safetensors\nc-0002.safetensors\nc-0003.safetensors\n");
    assertThat(Safetensors.read(unpacked.resolve("c-0001.safetensors")).tensors())
        .containsOnlyKeys("activation/layer4");
  }

  @Test
  void archive_made_by_tar_should_be_read_as_a_shard() throws IOException, InterruptedException {
    record(directory, 0, 3);
    run(directory, "tar", "xf", "captures-000001.tar");
    Files.delete(directory.resolve("captures-000001.tar"));
    run(
        directory,
        "tar",
        "cf",
        "captures-000001.tar",
        "c-0000.safetensors",
        "c-0001.safetensors",
        "c-0002.safetensors");
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(ids(reader)).containsExactly("c-0000", "c-0001", "c-0002");
    }
    assertThat(RecordingVerifier.verify(directory).damage()).isEmpty();
  }

  @Test
  void capture_should_be_found_by_its_id() throws IOException {
    try (RecordingWriter writer = open(directory, 9_000);
        RecordingReader reader = RecordingReader.open(directory)) {
      for (int i = 0; i < 5; i++) {
        writer.append(capture(i));
      }
      assertThat(reader.find("c-0003").tensors().get("activation/layer4").toFloats())
          .containsOnly(3);
      assertThat(reader.find("c-0009")).isNull();
      writer.append(capture(9));
      assertThat(reader.find("c-0009").id()).isEqualTo("c-0009");
      assertThat(reader.next().id()).isEqualTo("c-0000");
    }
  }

  @Test
  void manifest_should_say_what_the_recording_is_about() throws IOException {
    RecordingWriter writer = open(directory, MEBIBYTE);
    writer.model(
        new ModelInfo(
            "net",
            List.of(
                new ModuleInfo(".", "Net", 10L, null),
                new ModuleInfo("layer4", "Conv2d", null, List.of(1L, 10L, 10L, 10L)))));
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(reader.isComplete()).isFalse();
      assertThat(reader.manifest().model("net").orElseThrow().modules()).hasSize(2);
    }
    writer.close(new Counters(7, 4, 2, 1), Map.of("queue full", 2L));
    JsonNode json =
        JsonMapper.builder().build().readTree(directory.resolve("manifest.json").toFile());
    assertThat(json.get("formatVersion").asInt()).isEqualTo(1);
    assertThat(json.at("/models/0/modules/1/outputShape/1").asInt()).isEqualTo(10);
    assertThat(json.at("/runs/0/pid").asLong()).isEqualTo(ProcessHandle.current().pid());
    assertThat(json.at("/runs/0/config").asText()).isEqualTo("version: 1");
    assertThat(json.at("/runs/0/versions/djl").asText()).isEqualTo("0.35.1");
    assertThat(json.at("/runs/0/versions/java").asText())
        .isEqualTo(System.getProperty("java.version"));
    assertThat(json.at("/runs/0/counters/dropped").asInt()).isEqualTo(2);
    assertThat(Instant.parse(json.at("/runs/0/ended").asText()))
        .isAfterOrEqualTo(Instant.parse(json.at("/runs/0/started").asText()));
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(reader.manifest().isClosed()).isTrue();
      assertThat(reader.manifest().runs().get(0).counters()).isEqualTo(new Counters(7, 4, 2, 1));
    }
  }

  @Test
  void recording_should_be_continued() throws IOException {
    record(directory, 0, 2);
    try (RecordingWriter writer = open(directory, MEBIBYTE)) {
      assertThat(writer.recovered()).isEmpty();
      writer.append(capture(2));
    }
    assertThat(directory.resolve("captures-000002.tar")).doesNotExist();
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(ids(reader)).containsExactly("c-0000", "c-0001", "c-0002");
      assertThat(reader.manifest().runs()).hasSize(2);
    }
    assertThat(RecordingVerifier.verify(directory).damage()).isEmpty();
  }

  @Test
  void second_writer_should_be_refused() throws IOException {
    try (RecordingWriter first = open(directory, MEBIBYTE)) {
      assertThatThrownBy(() -> open(directory, MEBIBYTE))
          .isInstanceOf(RecordingException.class)
          .hasMessageContaining("a writer that still has it open; give each process its own");
      first.append(capture(1));
    }
    open(directory, MEBIBYTE).close();
  }

  @Test
  void foreign_directory_should_be_refused_and_left_alone() throws IOException {
    Path file = Files.writeString(directory.resolve("thesis.txt"), "do not touch");
    assertThatThrownBy(() -> open(directory, MEBIBYTE))
        .isInstanceOf(RecordingException.class)
        .hasMessage(
            directory
                + ": expected an empty directory or a recording, found [thesis.txt] and no"
                + " manifest.json");
    assertThat(directory).isDirectoryContaining(file::equals);
    assertThat(Files.list(directory)).hasSize(1);
    assertThatThrownBy(() -> open(file, MEBIBYTE))
        .hasMessageContaining("expected a directory for the recording, found a file");
  }

  @Test
  void reader_should_say_that_there_is_no_recording() throws IOException {
    assertThatThrownBy(() -> RecordingReader.open(directory))
        .isInstanceOf(RecordingException.class)
        .hasMessage(
            directory + ": expected a recording with manifest.json, found a directory without it");
    Path file = Files.writeString(directory.resolve("manifest.json"), "{\n  \"runs\": 3 }");
    assertThatThrownBy(() -> RecordingReader.open(file))
        .hasMessageContaining("expected the directory of a recording, found a file");
    assertThatThrownBy(() -> RecordingReader.open(directory.resolve("no")))
        .hasMessageContaining("found nothing of that name");
    assertThatThrownBy(() -> RecordingReader.open(directory))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("manifest.json:2: expected a recording's manifest");
    Files.writeString(file, "{\"formatVersion\": 2}");
    assertThatThrownBy(() -> RecordingReader.open(directory))
        .hasMessage(file + ": expected format version 1, found 2");
  }

  @Test
  void empty_recording_should_be_read_as_empty() throws IOException {
    open(directory, MEBIBYTE).close();
    try (RecordingReader reader = RecordingReader.open(directory)) {
      assertThat(reader.next()).isNull();
      assertThat(reader.ids()).isEmpty();
      assertThat(reader.isComplete()).isTrue();
    }
    assertThat(RecordingVerifier.verify(directory))
        .isEqualTo(new RecordingVerifier.Verification(0, 0, 0, List.of(), null));
  }

  @Test
  void growing_recording_should_be_followed_to_its_end() throws Exception {
    RecordingWriter writer = open(directory, 9_000);
    CompletableFuture<List<String>> followed =
        CompletableFuture.supplyAsync(
            () -> {
              try (RecordingReader reader = RecordingReader.open(directory)) {
                List<String> ids = new ArrayList<>();
                for (Capture c = reader.follow(() -> false, false);
                    c != null;
                    c = reader.follow(() -> false, false)) {
                  ids.add(c.id());
                }
                assertThat(reader.damage()).isEmpty();
                return ids;
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    for (int i = 0; i < 100; i++) {
      writer.append(capture(i));
    }
    writer.close();
    List<String> ids = followed.get(1, TimeUnit.MINUTES);
    assertThat(ids).hasSize(100).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void following_should_end_when_told() throws Exception {
    try (RecordingWriter writer = open(directory, MEBIBYTE);
        RecordingReader reader = RecordingReader.open(directory)) {
      writer.append(capture(1));
      assertThat(reader.follow(() -> true, false).id()).isEqualTo("c-0001");
      assertThat(reader.follow(() -> true, false)).isNull();
    }
  }

  @Test
  void reading_should_not_change_a_recording() throws IOException {
    record(directory, 0, 3);
    Path shard = directory.resolve("captures-000001.tar");
    BasicFileAttributes before = Files.readAttributes(shard, BasicFileAttributes.class);
    try (RecordingReader reader = RecordingReader.open(directory)) {
      ids(reader);
    }
    RecordingVerifier.verify(directory);
    assertThat(Files.readAttributes(shard, BasicFileAttributes.class).lastModifiedTime())
        .isEqualTo(before.lastModifiedTime());
  }
}
