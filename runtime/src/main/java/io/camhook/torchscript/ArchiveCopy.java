package io.camhook.torchscript;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;

/** An archive with other code, not yet written. */
record ArchiveCopy(Path source, ZipDirectory zip, Map<String, byte[]> changed) {
  ArchiveCopy {
    changed = Map.copyOf(changed);
  }

  /**
   * Writes it. Weights and every other unchanged entry are copied byte for byte, file to file, to
   * the same offsets; only changed code is held in memory.
   */
  void write(Path target) throws IOException {
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
