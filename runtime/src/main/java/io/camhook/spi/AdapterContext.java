package io.camhook.spi;

import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;

/**
 * What an adapter works with.
 *
 * @param config the validated configuration
 * @param recorder where captures go
 * @param watches makes the built-in hooks
 * @param log where the adapter says things
 */
public record AdapterContext(
    CamhookConfig config, Recorder recorder, Watches watches, EventLog log) {
  /** With built-in hooks of its own. */
  public AdapterContext(CamhookConfig config, Recorder recorder, EventLog log) {
    this(config, recorder, Watches.of(config, log), log);
  }
}
