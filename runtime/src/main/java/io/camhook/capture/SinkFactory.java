package io.camhook.capture;

import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Opens a sink whose classes are in a separate class loader, because they link to a library that
 * the application must not see. Implementations have a public no-argument constructor.
 */
public interface SinkFactory {
  /**
   * Opens the sink.
   *
   * @param config the configuration, which contains the sink's settings
   * @param yaml publishable text of the configuration; null if there is none
   * @param bytes memory that the sink may use
   * @param log receives other events than writes
   */
  CaptureSink open(CamhookConfig config, @Nullable String yaml, long bytes, EventLog log)
      throws IOException;
}
