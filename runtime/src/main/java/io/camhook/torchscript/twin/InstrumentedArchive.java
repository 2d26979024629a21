package io.camhook.torchscript.twin;

import io.camhook.torchscript.archive.ArchiveCopy;
import java.io.IOException;
import java.nio.file.Path;

/** An archive with taps added, ready to be written. Immutable and safe for concurrent use. */
public final class InstrumentedArchive {
  private final ArchiveCopy copy;
  private final TapPlan plan;

  public InstrumentedArchive(ArchiveCopy copy, TapPlan plan) {
    this.copy = copy;
    this.plan = plan;
  }

  /** The added methods, and how to read their results. */
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
    copy.write(target);
  }
}
