package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged blobs are refused or read, never anything else. The seeds are fixed. */
class SafetensorsFuzzTest {
  private static final int MUTATIONS = 20_000;
  private static final byte[] TOKENS =
      "{}[]\",:0123456789-.eE\\ \u0000null".getBytes(StandardCharsets.US_ASCII);

  @Test
  void mutated_blob_should_be_read_or_refused() throws IOException {
    byte[] original = CaptureTest.bytes(CaptureTest.sample("fuzz"));
    int header =
        8 + (int) ByteBuffer.wrap(original).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
    Random random = new Random(42);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutated = mutate(original, header, random);
      if (!isReadable(mutated, i)) {
        refused++;
      }
    }
    // most mutations hit the header, and most of those break a rule
    assertThat(refused).isBetween(MUTATIONS / 2, MUTATIONS);
  }

  @Test
  void random_bytes_should_be_refused() {
    Random random = new Random(43);
    for (int i = 0; i < 2_000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      if (bytes.length > 8) {
        Arrays.fill(bytes, 2, 8, (byte) 0);
      }
      assertThat(isReadable(bytes, i)).isFalse();
    }
  }

  private static byte[] mutate(byte[] original, int header, Random random) {
    byte[] bytes = original.clone();
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int at =
          random.nextInt(random.nextInt(4) == 0 ? bytes.length : Math.min(header, bytes.length));
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = TOKENS[random.nextInt(TOKENS.length)];
        case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, bytes.length - random.nextInt(64)));
        case 3 -> bytes = Arrays.copyOf(bytes, bytes.length + random.nextInt(64));
        default -> {
          int from = random.nextInt(bytes.length);
          int length = Math.min(random.nextInt(32), bytes.length - Math.max(at, from));
          System.arraycopy(bytes, from, bytes, at, Math.max(0, length));
        }
      }
    }
    return bytes;
  }

  private static boolean isReadable(byte[] bytes, int i) {
    Boolean buffer = null;
    try {
      Safetensors read = Safetensors.read(ByteBuffer.wrap(bytes));
      buffer = true;
      Capture.of(read, "fuzz");
    } catch (RecordingException e) {
      assertThat(e).hasMessageNotContaining("null:");
      buffer = buffer != null;
    } catch (RuntimeException | Error e) {
      fail("mutation " + i + " escaped the checks", e);
    }
    boolean stream;
    try {
      Safetensors.read(new ByteArrayInputStream(bytes));
      stream = true;
    } catch (RecordingException e) {
      stream = false;
    } catch (IOException | RuntimeException | Error e) {
      stream = fail("mutation " + i + " escaped the checks of the stream", e);
    }
    assertThat(stream).as("mutation %d read from a stream", i).isEqualTo(buffer);
    return stream;
  }
}
