package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.PendingCapture;
import io.camhook.capture.Recorder;
import io.camhook.recording.Capture;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * An application that has Micrometer or OpenTelemetry gets camhook's numbers among its own. The library
 * is looked up in the application's class loader, which the first requests show, and only through
 * reflection. A global OpenTelemetry is used once the application has set it: asking earlier would set it
 * to one that does nothing, and the application's own attempt would then fail.
 */
/** Publishes the counters to the metrics libraries of the applications in this JVM. */
final class ApplicationMetrics implements CaptureObserver {
  private final List<Measure> measures;
  private final ApplicationClasses classes = new ApplicationClasses();
  private final Set<ClassLoader> seen =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
  private final Set<ClassLoader> micrometer = Collections.newSetFromMap(new WeakHashMap<>());
  private final Set<ClassLoader> openTelemetry = Collections.newSetFromMap(new WeakHashMap<>());

  /** They unregister the metrics; held weakly, to keep no application alive. */
  private final List<WeakReference<AutoCloseable>> registered = new ArrayList<>();

  private volatile @Nullable Supplier<CaptureStatus> status;

  /** Whether an application was seen that has not been examined yet. */
  private volatile boolean another;

  ApplicationMetrics(LayerHealth health) {
    this.measures = Measure.all(health);
  }

  @Override
  public void began(Recorder recorder) {
    status = recorder::status;
  }

  @Override
  public void submitted(PendingCapture capture) {
    if (seen.add(ApplicationClasses.ofThread())) {
      another = true;
    }
  }

  @Override
  public void written(Capture capture, long nanos) {
    if (another) {
      tick(); // not on the thread of the request
    }
  }

  @Override
  public synchronized void tick() {
    Supplier<CaptureStatus> source = status;
    if (source == null) {
      return;
    }
    another = false;
    List<ClassLoader> loaders;
    synchronized (seen) {
      loaders = List.copyOf(seen);
    }
    for (ClassLoader loader : loaders) {
      Class<?> metrics = classes.find(MicrometerMetrics.CLASS, loader);
      if (metrics != null && micrometer.add(loader)) {
        keep(MicrometerMetrics.register(metrics, measures, source));
      }
      Class<?> global = classes.find(OpenTelemetryMetrics.CLASS, loader);
      if (global != null && OpenTelemetryMetrics.isSet(global) && openTelemetry.add(loader)) {
        keep(OpenTelemetryMetrics.register(global, measures, source));
      }
    }
  }

  private void keep(List<AutoCloseable> made) {
    made.forEach(registration -> registered.add(new WeakReference<>(registration)));
  }

  @Override
  public synchronized void close() {
    status = null;
    for (WeakReference<AutoCloseable> reference : registered) {
      AutoCloseable registration = reference.get();
      if (registration != null) {
        try {
          registration.close();
        } catch (Exception e) {
          // the application's registry may be closed already
        }
      }
    }
    registered.clear();
  }
}
