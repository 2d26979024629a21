package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.Recorder;
import io.camhook.dispatch.EventLog;
import java.time.Duration;
import java.util.function.Supplier;

/** Reports what a recorder does to the application's operator. */
public final class Telemetry {
  private Telemetry() {}

  /**
   * Attaches all available kinds of monitoring; a JDK may lack JMX or JFR.
   *
   * @param health what the stats hooks see
   * @param every how often a line is logged; zero for never
   */
  public static void attach(Recorder recorder, LayerHealth health, Duration every, EventLog log) {
    ifPresent("java.management", recorder, ManagedRecorder::new);
    ifPresent("java.management", recorder, () -> new ManagedLayers(health));
    ifPresent("jdk.jfr", recorder, FlightEvents::new);
    ifPresent("jdk.jfr", recorder, () -> new LayerEvents(health));
    recorder.observe(new ApplicationMetrics(health));
    health.listen(new NewLayers(recorder));
    recorder.observe(new SpanAttribute());
    if (!every.isZero()) {
      recorder.observe(new PeriodicLine(every, log));
    }
  }

  private static void ifPresent(
      String module, Recorder recorder, Supplier<CaptureObserver> observer) {
    if (ModuleLayer.boot().findModule(module).isPresent()) {
      recorder.observe(observer.get());
    }
  }

  /** Layers are shown also where nothing is captured. */
  private record NewLayers(Recorder recorder) implements LayerHealth.Listener {
    @Override
    public void appeared(Layer layer) {
      recorder.tickSoon();
    }
  }
}
