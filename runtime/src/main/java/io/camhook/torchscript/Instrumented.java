package io.camhook.torchscript;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;

/** An archive with taps added, ready to be written. Immutable and safe for concurrent use. */
public final class Instrumented {
  private final Path source;
  private final ZipDirectory zip;
  private final Map<String, byte[]> changed;
  private final TapPlan plan;

  Instrumented(Path source, ZipDirectory zip, Map<String, byte[]> changed, TapPlan plan) {
    this.source = source;
    this.zip = zip;
    this.changed = Map.copyOf(changed);
    this.plan = plan;
  }

  /** What was added and how to read what it hands out. */
  public TapPlan plan() {
    return plan;
  }

  /**
   * Writes the archive. Weights and every other unchanged entry are copied byte for byte, file to
   * file, to the same offsets; only changed code is held in memory.
   *
   * @param target created, or overwritten
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
