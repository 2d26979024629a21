package io.camhook.djl.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The application's stream must arrive complete, whatever the disk does. */
class ArchiveSpoolTest {
  private final byte[] bytes = new byte[200_000];

  ArchiveSpoolTest() {
    new Random(1).nextBytes(bytes);
  }

  @Test
  void stream_should_be_kept_and_read_again_and_again() throws Exception {
    ArchiveSpool spool = ArchiveSpool.create("net.pt");
    try (spool) {
      spool.fill(new ByteArrayInputStream(bytes), -1);
      for (int i = 0; i < 2; i++) {
        assertThat(all(spool)).isEqualTo(bytes);
      }
      assertThat(spool.unfit()).isNull();
    }
    assertThat(spool.file().getParent()).doesNotExist();
  }

  @Test
  void size_should_bound_what_is_taken() throws Exception {
    ByteArrayInputStream stream = new ByteArrayInputStream(bytes);
    try (ArchiveSpool spool = ArchiveSpool.create("net.pt")) {
      spool.fill(stream, 150_000);
      assertThat(all(spool)).hasSize(150_000);
      assertThat(stream.available()).isEqualTo(50_000);
    }
  }

  @Test
  void stream_that_ends_early_should_be_unfit_and_whole() throws Exception {
    try (ArchiveSpool spool = ArchiveSpool.create("net.pt")) {
      spool.fill(new ByteArrayInputStream(bytes), 200_007);
      assertThat(spool.unfit()).isEqualTo("the stream of net.pt ends 7 bytes before its size");
      assertThat(all(spool)).isEqualTo(bytes);
    }
  }

  @Test
  void full_disk_should_leave_the_stream_whole() throws Exception {
    ByteArrayInputStream stream = new ByteArrayInputStream(bytes);
    try (ArchiveSpool spool = ArchiveSpool.create("net.pt");
        FileChannel file =
            FileChannel.open(
                spool.file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      spool.fill(stream, -1, new FullDisk(file, 100_000));
      assertThat(stream.available()).isPositive();
      assertThat(spool.unfit())
          .isEqualTo(
              "net.pt could not be kept in a temporary file: java.io.IOException: No space left on"
                  + " device");
      assertThat(all(spool)).isEqualTo(bytes);
    }
  }

  @Test
  void file_that_cannot_be_made_should_leave_the_stream_whole() throws Exception {
    try (ArchiveSpool spool = ArchiveSpool.create("net.pt")) {
      Files.delete(spool.file().getParent());
      spool.fill(new ByteArrayInputStream(bytes), -1);
      assertThat(spool.unfit()).startsWith("net.pt could not be kept in a temporary file: ");
      assertThat(all(spool)).isEqualTo(bytes);
    }
  }

  @Test
  void stream_that_fails_should_fail_again_when_it_is_read_on() throws Exception {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("connection reset");
          }
        };
    try (ArchiveSpool spool = ArchiveSpool.create("net.pt")) {
      spool.fill(new SequenceInputStream(new ByteArrayInputStream(bytes), broken), -1);
      InputStream again = spool.open();
      assertThat(again.readNBytes(bytes.length)).isEqualTo(bytes);
      assertThatThrownBy(again::read).hasMessage("connection reset");
    }
  }

  private static byte[] all(ArchiveSpool spool) throws IOException {
    try (InputStream stream = spool.open()) {
      return stream.readAllBytes();
    }
  }

  /** Accepts a number of bytes and then no more, like write(2): the last write is partial. */
  private record FullDisk(FileChannel file, long room) implements SeekableByteChannel {
    @Override
    public int write(ByteBuffer source) throws IOException {
      long left = room - file.position();
      if (left == 0) {
        throw new IOException("No space left on device");
      }
      int n = (int) Math.min(left, source.remaining());
      file.write(source.duplicate().limit(source.position() + n));
      source.position(source.position() + n);
      return n;
    }

    @Override
    public int read(ByteBuffer target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() throws IOException {
      return file.position();
    }

    @Override
    public SeekableByteChannel position(long position) throws IOException {
      return file.position(position);
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public SeekableByteChannel truncate(long size) throws IOException {
      return file.truncate(size);
    }

    @Override
    public boolean isOpen() {
      return file.isOpen();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
