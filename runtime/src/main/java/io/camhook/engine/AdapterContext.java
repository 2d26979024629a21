package io.camhook.engine;

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
 * @param woven whether the engine's classes are instrumented, so that they call the adapter
 */
public record AdapterContext(
    CamhookConfig config, Recorder recorder, Watches watches, EventLog log, boolean woven) {}
