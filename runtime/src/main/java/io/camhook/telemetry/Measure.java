package io.camhook.telemetry;

import io.camhook.builtin.Histogram;
import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Loss;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
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

  /** The numbers of the captures. */
  static List<Measure> ofCaptures() {
    List<Measure> all = new ArrayList<>();
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

  /** The numbers of one layer that has a {@code stats} hook. */
  static List<Measure> ofLayer(LayerHealth health, Layer layer) {
    Map<String, String> tags =
        Map.of("model", layer.model(), "layer", layer.layer(), "value", layer.value());
    List<Measure> all = new ArrayList<>();
    all.add(
        new Measure(
            "camhook.layers.steps",
            "{step}",
            "Steps in which the layer was seen",
            true,
            tags,
            status -> health.now(layer).steps()));
    all.add(
        new Measure(
            "camhook.layers.nonfinite",
            "{value}",
            "NaN and infinite values",
            true,
            tags,
            status -> health.now(layer).nonFinite()));
    all.add(
        new Measure(
            "camhook.layers.dead_channels",
            "{channel}",
            "Channels that were zero everywhere in the last step",
            false,
            tags,
            status -> health.now(layer).deadChannels()));
    all.add(
        new Measure(
            "camhook.layers.drifting",
            "{layer}",
            "1 beyond the threshold of the baseline",
            false,
            tags,
            status -> health.now(layer).drifting() ? 1 : 0));
    all.addAll(
        histogram(
            "camhook.layers.drift.mean",
            "Steps by the distance of their mean from the baseline, in standard deviations",
            tags,
            LayerHealth.DEVIATIONS,
            () -> health.now(layer).meanDrifts()));
    all.addAll(
        histogram(
            "camhook.layers.drift.norm",
            "Steps by the distance of their norm from the baseline, in standard deviations",
            tags,
            LayerHealth.DEVIATIONS,
            () -> health.now(layer).normDrifts()));
    all.addAll(
        histogram(
            "camhook.layers.dead.share",
            "Steps by the share of dead channels, in percent",
            tags,
            LayerHealth.PERCENT,
            () -> health.now(layer).deadShares()));
    all.addAll(
        histogram(
            "camhook.layers.nonfinite.share",
            "Steps by the share of NaN and infinite values, in percent",
            tags,
            LayerHealth.PERCENT,
            () -> health.now(layer).nonFiniteShares()));
    return all;
  }

  /** A counter for each class, which the tag {@code class} tells. */
  private static List<Measure> histogram(
      String name,
      String description,
      Map<String, String> tags,
      List<Integer> bounds,
      Supplier<Histogram> read) {
    List<Measure> classes = new ArrayList<>();
    for (int i = 0; i <= bounds.size(); i++) {
      int at = i;
      Map<String, String> tagged = new HashMap<>(tags);
      tagged.put("class", Histogram.word(bounds, i));
      classes.add(
          new Measure(name, "{step}", description, true, tagged, status -> read.get().count(at)));
    }
    return classes;
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
