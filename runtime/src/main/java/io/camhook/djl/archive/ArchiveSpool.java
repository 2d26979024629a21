package io.camhook.djl.archive;

import io.camhook.torchscript.TemporaryCopies;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An archive that came as a stream, kept in a file until it is loaded. If writing the file fails,
 * no byte of the application's stream is lost: {@link #open} continues with the stream itself.
 */
final class ArchiveSpool implements AutoCloseable {
  private final Path directory;
  private final Path file;
  private long written;
  private @Nullable String unfit;
  private byte[] unwritten = {};
  private @Nullable InputStream rest;

  private ArchiveSpool(Path directory, Path file) {
    this.directory = directory;
    this.file = file;
  }

  /**
   * An empty one.
   *
   * @param name of the file, for messages
   */
  static ArchiveSpool create(String name) throws IOException {
    Path directory = TemporaryCopies.directory();
    return new ArchiveSpool(directory, directory.resolve(name));
  }

  /**
   * Reads the contents of a stream.
   *
   * @param size bytes to read; -1 is up to the end
   */
  void fill(InputStream stream, long size) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      fill(stream, size, out);
    } catch (IOException e) {
      if (rest == null) { // the file could not even be created
        failed(e, stream);
      }
    }
  }

  void fill(InputStream stream, long size, SeekableByteChannel out) throws IOException {
    byte[] buffer = new byte[1 << 16];
    while (size < 0 || written < size) {
      long left = size < 0 ? buffer.length : Math.min(buffer.length, size - written);
      int n = stream.read(buffer, 0, (int) left);
      if (n < 0) {
        break;
      }
      try {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      } catch (IOException e) {
        unwritten = Arrays.copyOf(buffer, n);
        failed(e, stream);
        out.truncate(written);
        return;
      }
      written += n;
    }
    if (written < size) {
      unfit =
          "the stream of %s ends %d bytes before its size"
              .formatted(file.getFileName(), size - written);
    }
  }

  private void failed(IOException why, InputStream stream) {
    unfit = "%s could not be kept in a temporary file: %s".formatted(file.getFileName(), why);
    rest = stream;
  }

  Path file() {
    return file;
  }

  /** Why the file is not what the application would load; null if it is. */
  @Nullable String unfit() {
    return unfit;
  }

  /**
   * The complete contents of the stream; only once, and only if {@link #unfit} reports that writing
   * failed.
   */
  InputStream open() throws IOException {
    InputStream kept = written > 0 ? Files.newInputStream(file) : InputStream.nullInputStream();
    InputStream remaining = rest;
    if (remaining == null) {
      return kept;
    }
    return new SequenceInputStream(
        Collections.enumeration(
            List.of(kept, new ByteArrayInputStream(unwritten), unclosed(remaining))));
  }

  /** The application's own stream, which it closes itself. */
  private static InputStream unclosed(InputStream stream) {
    return new FilterInputStream(stream) {
      @Override
      public void close() {}
    };
  }

  /**
   * A stream whose reads return the full requested length, because DJL's native code does not
   * check.
   */
  static InputStream inFullReads(InputStream stream) {
    return new FilterInputStream(stream) {
      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int n = in.readNBytes(bytes, offset, length);
        return n == 0 && length > 0 ? -1 : n;
      }
    };
  }

  @Override
  public void close() throws IOException {
    if (Files.exists(file)) { // the name may be invalid for a file
      Files.delete(file);
    }
    Files.deleteIfExists(directory);
  }
}
