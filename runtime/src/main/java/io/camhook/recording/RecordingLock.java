package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Keeps two writers out of one directory; the system releases it when the process ends. */
final class RecordingLock implements Closeable {
  static final String FILE = ".lock";

  private final Path file;
  private final FileChannel channel;
  private final @Nullable Object key;

  private RecordingLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
    BasicFileAttributes now = FileAccess.attributes(file);
    this.key = now == null ? null : now.fileKey();
  }

  static RecordingLock acquire(Path directory, FileAccess access) throws IOException {
    Path file = directory.resolve(FILE);
    FileChannel channel = access.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return new RecordingLock(file, channel);
      }
    } catch (OverlappingFileLockException e) {
      // held by this process: refused below, like that of another process
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
    channel.close();
    throw RecordingException.at(
        directory.toString(),
        "a recording that nobody writes to",
        "a writer that still has it open; give each process its own directory");
  }

  /** Whether some process writes to the recording in {@code directory} now. */
  static boolean isHeld(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
      return lock == null;
    } catch (OverlappingFileLockException e) {
      return true;
    }
  }

  /**
   * Whether the directory still is the one that was locked; false once it was removed or replaced.
   */
  boolean isInPlace() {
    BasicFileAttributes now = FileAccess.attributes(file);
    return now != null && Objects.equals(now.fileKey(), key);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
