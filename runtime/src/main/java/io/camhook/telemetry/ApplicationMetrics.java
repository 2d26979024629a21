package io.camhook.telemetry;

import io.camhook.builtin.LayerHealth;
import io.camhook.builtin.LayerHealth.Layer;
import io.camhook.capture.CaptureObserver;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.PendingCapture;
import io.camhook.capture.Recorder;
import io.camhook.recording.Capture;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.List;
import java.util.Map;
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
final class ApplicationMetrics implements CaptureObserver, LayerHealth.Listener {
  private final LayerHealth health;
  private final ApplicationClasses classes = new ApplicationClasses();
  private final Set<ClassLoader> seen =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /**
   * By the library's class: several loaders may see the same one. Weak, so that no application is
   * held.
   */
  private final Map<Class<?>, Published> libraries = new WeakHashMap<>();

  private volatile @Nullable Supplier<CaptureStatus> status;

  /** Whether an application was seen that has not been examined yet. */
  private volatile boolean another;

  private static final class Published {
    final WeakReference<MetricsLibrary> library;

    /** How many of the layers it has. */
    int layers;

    Published(MetricsLibrary library) {
      this.library = new WeakReference<>(library);
    }
  }

  /** Makes the library's object from its class. */
  @FunctionalInterface
  private interface Maker {
    MetricsLibrary make(Class<?> type, Supplier<CaptureStatus> status)
        throws ReflectiveOperationException;
  }

  ApplicationMetrics(LayerHealth health) {
    this.health = health;
    health.listen(this);
  }

  @Override
  public void began(Recorder recorder) {
    status = recorder::status;
  }

  @Override
  public void submitted(PendingCapture capture) {
    see();
  }

  @Override
  public void appeared(Layer layer) {
    see();
  }

  private void see() {
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
    try {
      for (ClassLoader loader : loaders) {
        Class<?> micrometer = classes.find(MicrometerMetrics.CLASS, loader);
        if (micrometer != null) {
          publish(micrometer, MicrometerMetrics::new, source);
        }
        Class<?> global = classes.find(OpenTelemetryMetrics.CLASS, loader);
        if (global != null && OpenTelemetryMetrics.isSet(global)) {
          publish(global, OpenTelemetryMetrics::new, source);
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e); // counted by whoever calls
    }
  }

  private void publish(Class<?> type, Maker maker, Supplier<CaptureStatus> source)
      throws ReflectiveOperationException {
    Published published = libraries.get(type);
    MetricsLibrary library = published == null ? null : published.library.get();
    if (published == null) {
      library = maker.make(type, source);
      published = new Published(library);
      libraries.put(type, published);
      library.publish(Measure.ofCaptures());
    }
    if (library == null) {
      return; // the application has dropped its registry
    }
    List<Layer> layers = health.layers();
    for (Layer layer : layers.subList(published.layers, layers.size())) {
      library.publish(Measure.ofLayer(health, layer));
    }
    published.layers = layers.size();
  }

  @Override
  public synchronized void close() {
    status = null;
    for (Published published : libraries.values()) {
      MetricsLibrary library = published.library.get();
      if (library != null) {
        try {
          library.close();
        } catch (ReflectiveOperationException e) {
          // the application's registry may be closed already
        }
      }
    }
    libraries.clear();
  }
}
