package io.camhook.engine;

import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;

/**
 * What the agent passes to an adapter.
 *
 * @param config the validated configuration
 * @param recorder where captures go
 * @param watches makes the built-in hooks
 * @param log the adapter's log
 * @param woven whether the engine's classes are instrumented, so that they call the adapter
 * @param failures where failures of camhook itself are counted
 */
public record AdapterContext(
    CamhookConfig config,
    Recorder recorder,
    Watches watches,
    EventLog log,
    boolean woven,
    Failures failures) {
  /** With its own failure counter. */
  public AdapterContext(
      CamhookConfig config, Recorder recorder, Watches watches, EventLog log, boolean woven) {
    this(config, recorder, watches, log, woven, new Failures(log));
  }
}
