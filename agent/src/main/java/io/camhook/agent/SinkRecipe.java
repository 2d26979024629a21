package io.camhook.agent;

import io.camhook.agent.yaml.SinkReader;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A kind of sink other than the directory: how its settings are read, and how it is opened. */
interface SinkRecipe {
  /** Reads its settings. */
  SinkReader settings();

  /**
   * Prepares the sink that the configuration names.
   *
   * @param yaml the configuration file, kept with the captures; null if there is none
   * @return null if the configuration names no sink of this kind
   */
  @Nullable Destination destination(CamhookConfig config, @Nullable Path yaml, EventLog log);
}
