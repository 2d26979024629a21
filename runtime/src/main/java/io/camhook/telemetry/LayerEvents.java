package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.Recorder;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/**
 * JFR events of the layers with {@code stats} hooks: the numbers of each every few seconds, and one
 * when a layer begins or ceases to drift from its baseline.
 */
final class LayerEvents implements CaptureObserver, LayerHealth.Listener {
  private final LayerHealth health;
  private final Runnable statistics = this::commitAll;

  /** What both kinds of events tell. */
  @StackTrace(false)
  @Category("camhook")
  abstract static class LayerEvent extends Event {
    @Label("Model")
    String model = "";

    @Label("Layer")
    String layer = "";

    @Label("Value")
    String value = "";

    @Label("Mean")
    double mean;

    @Label("Norm")
    double norm;

    @Label("Drift")
    double drift;

    @Label("Drifting")
    boolean drifting;

    void fill(Layer now) {
      model = now.model();
      layer = now.layer();
      value = now.value();
      mean = now.mean();
      norm = now.norm();
      drift = now.drift();
      drifting = now.drifting();
    }
  }

  @Name("io.camhook.LayerDrift")
  @Label("Layer Drift")
  static final class LayerDrift extends LayerEvent {}

  @Name("io.camhook.LayerStatistics")
  @Label("Layer Statistics")
  @Period("5 s")
  static final class LayerStatistics extends LayerEvent {
    @Label("Steps")
    long steps;

    @Label("NaN or Infinite")
    long nonFinite;

    @Label("Channels")
    int channels;

    @Label("Dead Channels")
    int deadChannels;

    @Label("Steps by Distance of the Mean in Deviations")
    String meanDrifts = "";

    @Label("Steps by Distance of the Norm in Deviations")
    String normDrifts = "";

    @Label("Steps by Percent of Dead Channels")
    String deadShares = "";

    @Label("Steps by Percent of NaN or Infinite Values")
    String nonFiniteShares = "";
  }

  LayerEvents(LayerHealth health) {
    this.health = health;
    health.listen(this);
  }

  @Override
  public void began(Recorder recorder) {
    FlightRecorder.addPeriodicEvent(LayerStatistics.class, statistics);
  }

  private void commitAll() {
    health.layers().forEach(LayerEvents::commit);
  }

  private static void commit(Layer layer) {
    LayerStatistics event = new LayerStatistics();
    event.fill(layer);
    event.steps = layer.steps();
    event.nonFinite = layer.nonFinite();
    event.channels = layer.channels();
    event.deadChannels = layer.deadChannels();
    event.meanDrifts = layer.meanDrifts().inWords().toString();
    event.normDrifts = layer.normDrifts().inWords().toString();
    event.deadShares = layer.deadShares().inWords().toString();
    event.nonFiniteShares = layer.nonFiniteShares().inWords().toString();
    event.commit();
  }

  @Override
  public void changed(Layer layer) {
    LayerDrift event = new LayerDrift();
    event.fill(layer);
    event.commit();
  }

  @Override
  public void close() {
    FlightRecorder.removePeriodicEvent(statistics);
  }
}
