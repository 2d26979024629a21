package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A JFR event when a layer starts or stops drifting from its baseline. */
final class DriftEvents implements CaptureObserver {
  @Name("io.camhook.LayerDrift")
  @Label("Layer Drift")
  @Category("camhook")
  @StackTrace(false)
  static final class LayerDrift extends Event {
    @Label("Model")
    String model = "";

    @Label("Layer")
    String layer = "";

    @Label("Value")
    String value = "";

    @Label("Drift")
    double drift;

    @Label("Drifting")
    boolean drifting;

    @Label("Mean")
    double mean;

    @Label("Norm")
    double norm;
  }

  DriftEvents(LayerHealth health) {
    health.listen(DriftEvents::commit);
  }

  private static void commit(Layer layer) {
    LayerDrift event = new LayerDrift();
    event.model = layer.model();
    event.layer = layer.layer();
    event.value = layer.value();
    event.drift = layer.drift();
    event.drifting = layer.drifting();
    event.mean = layer.mean();
    event.norm = layer.norm();
    event.commit();
  }
}
