package io.camhook.report;

import io.camhook.recording.ModelInfo;
import io.camhook.recording.Run;
import java.util.List;

/**
 * Where captures of a report come from, and in which state that is.
 *
 * @param path as it was named
 * @param captures number of captures in the report
 * @param models with their module trees; empty where no manifest tells
 * @param runs the processes that recorded, oldest first; empty where no manifest tells
 * @param damage what could not be read, one line each
 * @param complete false while a recording is written, or if its writer was killed
 */
public record ReportSource(
    String path,
    int captures,
    List<ModelInfo> models,
    List<Run> runs,
    List<String> damage,
    boolean complete) {
  public ReportSource {
    models = List.copyOf(models);
    runs = List.copyOf(runs);
    damage = List.copyOf(damage);
  }

  /** A source without a manifest. */
  public static ReportSource of(String path) {
    return new ReportSource(path, 0, List.of(), List.of(), List.of(), true);
  }
}
