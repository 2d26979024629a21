package io.camhook.report;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A report's metadata.
 *
 * @param title shown beside the name; empty: the labels of the models
 * @param sources the recordings it was made from
 * @param created when
 * @param version camhook's version
 * @param methods method id to display name, in the order to offer them
 * @param colormaps name to 256 RGB triples, in the order to offer them; the first is the default
 */
public record ReportInfo(
    String title,
    List<String> sources,
    Instant created,
    String version,
    Map<String, String> methods,
    Map<String, byte[]> colormaps) {
  public ReportInfo {
    sources = List.copyOf(sources);
  }
}
