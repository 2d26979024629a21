package io.camhook.torchscript.archive;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;

/** An archive with changed code, not yet written. */
public record ArchiveCopy(Path source, ZipDirectory zip, Map<String, byte[]> changed) {
  public ArchiveCopy {
    changed = Map.copyOf(changed);
  }

  /**
   * Writes it. Weights and every other unchanged entry are copied byte for byte, file to file, to
   * the same offsets; only changed code is held in memory.
   */
  public void write(Path target) throws IOException {
    try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ);
        FileChannel out =
            FileChannel.open(
                target,
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
      ZipAppender.copy(zip, in, out, changed, Set.of());
    }
  }
}
