package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipEncodingHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compared with the tar of Apache Commons Compress. */
class TarHeaderTest {
  private static final Instant TIME = Instant.parse("2026-11-24T06:15:30Z");

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 511, 1 << 20, (1L << 33) - 1, 1L << 33, 1L << 40})
  void header_should_be_read_by_another_implementation(long size) throws IOException {
    TarArchiveEntry read = new TarArchiveEntry(TarHeader.write("x.safetensors", size, TIME));
    assertThat(read.getName()).isEqualTo("x.safetensors");
    assertThat(read.getSize()).isEqualTo(size);
    assertThat(read.getLastModifiedTime().toInstant()).isEqualTo(TIME);
    assertThat(read.isFile()).isTrue();
    assertThat(read.isCheckSumOK()).isTrue();
    assertThat(read.getMode()).isEqualTo(0644);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 513, (1L << 33) - 1, 1L << 33})
  void header_of_another_implementation_should_be_read(long size) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry("a.safetensors");
    entry.setSize(size);
    byte[] block = new byte[TarHeader.BLOCK];
    entry.writeEntryHeader(block, ZipEncodingHelper.getZipEncoding("UTF-8"), true);
    assertThat(TarHeader.read(block, "test")).isEqualTo(new TarHeader("a.safetensors", size, '0'));
  }

  @Test
  void changed_header_should_be_refused() {
    byte[] block = TarHeader.write("x.safetensors", 100, TIME);
    block[0] ^= 1;
    assertThatThrownBy(() -> TarHeader.read(block, "test"))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("test: expected a tar header with checksum");
    assertThatThrownBy(() -> TarHeader.read(new byte[TarHeader.BLOCK], "test"))
        .hasMessageContaining("expected a tar header, found other bytes");
  }

  /** An octal number with a sign would send a reader backwards for ever. */
  @ParameterizedTest
  @ValueSource(strings = {"-0000001000", "-7777777777", "00000000x10"})
  void size_that_is_no_size_should_be_refused(String size) {
    byte[] block = TarHeader.write("x.safetensors", 100, TIME);
    byte[] digits = size.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, block, 124, 11);
    seal(block);
    assertThatThrownBy(() -> TarHeader.read(block, "test"))
        .hasMessageContaining("expected a number in a tar header");
  }

  static void seal(byte[] block) {
    Arrays.fill(block, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    byte[] checksum = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(checksum, 0, block, 148, 8);
  }
}
