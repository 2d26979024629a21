package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps two writers out of one directory; the system releases it when the process ends. */
final class RecordingLock implements Closeable {
  static final String FILE = ".lock";

  private final FileChannel channel;

  private RecordingLock(FileChannel channel) {
    this.channel = channel;
  }

  static RecordingLock acquire(Path directory) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return new RecordingLock(channel);
      }
    } catch (OverlappingFileLockException e) {
      // held by this process: refused below, like another one's
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

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
