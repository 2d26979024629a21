package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Loss;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * A number that is published to the application's metrics.
 *
 * @param name dotted name
 * @param unit as OpenTelemetry writes it
 * @param description for people
 * @param grows true for a counter, false for a gauge
 * @param tags that distinguish numbers with the same name
 */
record Measure(
    String name,
    String unit,
    String description,
    boolean grows,
    Map<String, String> tags,
    ToLongFunction<CaptureStatus> value) {

  /**
   * All published numbers.
   *
   * @param health what the stats hooks see
   */
  static List<Measure> all(LayerHealth health) {
    List<Measure> all = new ArrayList<>();
    all.add(
        new Measure(
            "camhook.layers.nonfinite",
            "{value}",
            "NaN and infinite values in layers with a stats hook",
            true,
            Map.of(),
            status -> health.nonFinite()));
    all.add(
        level(
            "camhook.layers.dead_channels",
            "{channel}",
            "Channels that are zero everywhere",
            status -> health.deadChannels()));
    all.add(
        level(
            "camhook.layers.drifting",
            "{layer}",
            "Layers beyond the threshold of their baseline",
            status -> health.drifting()));
    for (int i = 0; i <= LayerHealth.CLASSES.size(); i++) {
      int at = i;
      all.add(
          new Measure(
              "camhook.layers.drift",
              "{step}",
              "Steps by their distance from the baseline, in standard deviations",
              true,
              Map.of("deviations", driftClass(i)),
              status -> health.drifts(at)));
    }
    all.add(counter("camhook.requests.sampled", "Requests chosen", CaptureStatus::sampled));
    all.add(counter("camhook.requests.skipped", "Not of interest", CaptureStatus::skipped));
    all.add(counter("camhook.captures.fired", "Captures", status -> status.counters().fired()));
    all.add(
        counter(
            "camhook.captures.written",
            "Captures that were written",
            status -> status.counters().written()));
    for (Loss loss : Loss.values()) {
      all.add(
          new Measure(
              "camhook.captures." + loss.kind().name().toLowerCase(Locale.ROOT),
              "{capture}",
              "Captures that were not written",
              true,
              Map.of("reason", loss.reason()),
              status -> status.losses().getOrDefault(loss, 0L)));
    }
    all.add(
        new Measure(
            "camhook.bytes.written", "By", "Tensors", true, Map.of(), CaptureStatus::bytesWritten));
    all.add(level("camhook.queue.size", "By", "Waiting", CaptureStatus::queueBytes));
    all.add(level("camhook.queue.high_water", "By", "Most at once", CaptureStatus::queueHighWater));
    all.add(level("camhook.queue.captures", "{capture}", "Waiting", CaptureStatus::queueLength));
    for (String share : List.of("0.5", "0.99")) {
      all.add(
          new Measure(
              "camhook.request.time",
              "us",
              "Time that capturing took on the request's thread",
              false,
              Map.of("quantile", share),
              status -> status.requestTime().quantileMicros(Double.parseDouble(share))));
    }
    return all;
  }

  /** A class of {@link LayerHealth#CLASSES} in words. */
  static String driftClass(int at) {
    List<Integer> bounds = LayerHealth.CLASSES;
    return at < bounds.size() ? "<= " + bounds.get(at) : "> " + bounds.get(at - 1);
  }

  private static Measure counter(
      String name, String description, ToLongFunction<CaptureStatus> value) {
    return new Measure(name, "{capture}", description, true, Map.of(), value);
  }

  private static Measure level(
      String name, String unit, String description, ToLongFunction<CaptureStatus> value) {
    return new Measure(name, unit, description, false, Map.of(), value);
  }
}
