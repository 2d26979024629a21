package io.camhook.spi;

import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;

/**
 * What an adapter works with.
 *
 * @param config the validated configuration
 * @param recorder where captures go
 * @param log where the adapter says things
 */
public record AdapterContext(CamhookConfig config, Recorder recorder, EventLog log) {}
