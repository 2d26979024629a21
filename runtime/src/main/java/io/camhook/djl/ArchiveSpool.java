package io.camhook.djl;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** An archive that came as a stream, kept in a file until it is loaded. */
final class ArchiveSpool implements AutoCloseable {
  private final Path directory;
  private final Path file;
  private long missing;

  private ArchiveSpool(Path directory, Path file) {
    this.directory = directory;
    this.file = file;
  }

  /**
   * Reads a stream.
   *
   * @param name of the file, for messages
   * @param size bytes to read; -1 is up to the end
   */
  static ArchiveSpool of(InputStream stream, long size, String name) throws IOException {
    Path directory = Files.createTempDirectory("camhook-");
    ArchiveSpool spool = new ArchiveSpool(directory, directory.resolve(name));
    try (OutputStream out = Files.newOutputStream(spool.file)) {
      long copied = size < 0 ? stream.transferTo(out) : copy(stream, size, out);
      spool.missing = Math.max(0, size - copied);
      return spool;
    } catch (Throwable e) {
      spool.close();
      throw e;
    }
  }

  private static long copy(InputStream from, long size, OutputStream to) throws IOException {
    byte[] buffer = new byte[1 << 16];
    long copied = 0;
    while (copied < size) {
      int n = from.read(buffer, 0, (int) Math.min(buffer.length, size - copied));
      if (n < 0) {
        break;
      }
      to.write(buffer, 0, n);
      copied += n;
    }
    return copied;
  }

  Path file() {
    return file;
  }

  /** How many bytes the stream should have had and did not. */
  long missing() {
    return missing;
  }

  /** A stream whose reads are as long as asked for: DJL's native code does not look. */
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
    Files.deleteIfExists(file);
    Files.deleteIfExists(directory);
  }
}
