package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged shards and manifests: they are verified, read and continued without anything but a {@link
 * RecordingException}, in bounded time. More of them with {@code -Pfuzz}.
 */
@Timeout(600)
class RecordingFuzzTest {
  private static final int MUTATIONS = Integer.getInteger("camhook.fuzz", 600) / 3;

  @TempDir Path temp;
  private Path directory;
  private byte[] shard;
  private byte[] manifest;

  @BeforeEach
  void record() throws IOException {
    directory = temp.resolve("recording");
    try (RecordingWriter writer =
        RecordingWriter.open(directory, Run.begin("version: 1", Map.of()), 1 << 20)) {
      for (int i = 0; i < 3; i++) {
        writer.append(RecordingTest.capture(i));
      }
    }
    shard = Files.readAllBytes(directory.resolve("captures-000001.tar"));
    manifest = Files.readAllBytes(directory.resolve("manifest.json"));
  }

  @Test
  void damaged_shard_should_neither_hang_nor_escape_the_checks() throws IOException {
    Random random = new Random(44);
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(directory.resolve("manifest.json"), manifest);
      Files.write(directory.resolve("captures-000001.tar"), mutated(shard, random, i % 2 == 0));
      use(i);
    }
  }

  @Test
  void damaged_manifest_should_be_refused_or_read() throws IOException {
    Random random = new Random(45);
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(directory.resolve("captures-000001.tar"), shard);
      Files.write(directory.resolve("manifest.json"), mutated(manifest, random, false));
      use(i);
    }
  }

  /**
   * @param header whether to damage the header of an entry, with its checksum corrected
   */
  private static byte[] mutated(byte[] original, Random random, boolean header) {
    byte[] bytes = original.clone();
    if (header) {
      byte[] block = Arrays.copyOf(bytes, TarHeader.BLOCK);
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        block[124 + random.nextInt(12)] =
            (byte) (random.nextInt(4) == 0 ? 0x80 : random.nextInt(256));
      }
      TarHeaderTest.seal(block);
      System.arraycopy(block, 0, bytes, 0, block.length);
      return bytes;
    }
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) "0-9{}[]\",:".charAt(random.nextInt(10));
        case 2 -> bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
        default -> bytes = Arrays.copyOf(bytes, bytes.length + random.nextInt(2000));
      }
    }
    return bytes;
  }

  private void use(int mutation) {
    try {
      RecordingVerifier.verify(directory);
    } catch (RecordingException e) {
      assertThat(e.getMessage()).doesNotContain("null:");
    } catch (IOException | RuntimeException | Error e) {
      fail("mutation " + mutation + " escaped the checks", e);
    }
    try (RecordingReader reader = RecordingReader.open(directory)) {
      for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
        assertThat(capture.id()).isNotEmpty();
      }
    } catch (RecordingException e) {
      assertThat(e.getMessage()).isNotBlank();
    } catch (IOException | RuntimeException | Error e) {
      fail("mutation " + mutation + " escaped the reader", e);
    }
    try (RecordingWriter writer =
        RecordingWriter.open(directory, Run.begin(null, Map.of()), 1 << 20)) {
      writer.append(RecordingTest.capture(7));
    } catch (RecordingException e) {
      assertThat(e.getMessage()).isNotBlank();
    } catch (IOException | RuntimeException | Error e) {
      fail("mutation " + mutation + " escaped the writer", e);
    }
  }
}
