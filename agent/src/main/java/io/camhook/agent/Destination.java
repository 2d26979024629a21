package io.camhook.agent;

import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;

/**
 * A sink to be opened.
 *
 * @param name in messages
 * @param limits limits with the bytes that are left for the queue
 */
record Destination(String name, Recorder.SinkOpener opener, CamhookConfig.Limits limits) {}
