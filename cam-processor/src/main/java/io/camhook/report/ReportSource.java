package io.camhook.report;

import io.camhook.recording.ModelInfo;
import io.camhook.recording.Run;
import java.util.List;

/**
 * A source of a report's captures, and its state.
 *
 * @param path as the user named it
 * @param captures number of captures in the report
 * @param models with their module trees; empty without a manifest
 * @param runs the processes that recorded, oldest first; empty without a manifest
 * @param damage unreadable parts, one line each
 * @param complete false while the recording is being written, or if its writer was killed
 * @param removed captures that the writer deleted to stay within its limits
 */
public record ReportSource(
    String path,
    int captures,
    List<ModelInfo> models,
    List<Run> runs,
    List<String> damage,
    boolean complete,
    long removed) {
  public ReportSource {
    models = List.copyOf(models);
    runs = List.copyOf(runs);
    damage = List.copyOf(damage);
  }

  /** A source without a manifest. */
  public static ReportSource of(String path) {
    return new ReportSource(path, 0, List.of(), List.of(), List.of(), true, 0);
  }
}
