package io.camhook.agent.yaml;

import io.camhook.config.SinkSettings;
import org.jspecify.annotations.Nullable;

/** Reads the settings of one kind of sink, which are a key of {@code output}. */
public interface SinkReader {
  /**
   * Reads the settings.
   *
   * @param process what patterns in values can refer to
   * @return null if this sink is not configured
   */
  @Nullable SinkSettings read(Section output, Reading reading, DirectoryPattern.Process process);
}
