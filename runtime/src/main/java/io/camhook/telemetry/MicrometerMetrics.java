package io.camhook.telemetry;

import io.camhook.capture.CaptureStatus;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** Registers the counters with the global registry of an application's Micrometer. */
final class MicrometerMetrics {
  static final String CLASS = "io.micrometer.core.instrument.Metrics";
  private static final String PACKAGE = "io.micrometer.core.instrument.";

  private MicrometerMetrics() {}

  /** Returns handles that remove the meters from the registry; each is kept alive by its meter. */
  static List<AutoCloseable> register(
      Class<?> metrics, List<Measure> measures, Supplier<CaptureStatus> status) {
    try {
      ClassLoader loader = metrics.getClassLoader();
      Object registry = metrics.getField("globalRegistry").get(null);
      Class<?> registryType = Class.forName(PACKAGE + "MeterRegistry", true, loader);
      Class<?> meterType = Class.forName(PACKAGE + "Meter", true, loader);
      Method remove = registryType.getMethod("remove", meterType);
      List<AutoCloseable> made = new ArrayList<>();
      for (Measure measure : measures) {
        Value value = new Value(measure, status);
        Object meter = meter(measure, value, registry, registryType, loader);
        value.removal = () -> remove.invoke(registry, meter);
        made.add(value);
      }
      return made;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object meter(
      Measure measure, Value value, Object registry, Class<?> registryType, ClassLoader loader)
      throws ReflectiveOperationException {
    String type = PACKAGE + (measure.grows() ? "FunctionCounter" : "Gauge");
    Object builder =
        Class.forName(type, true, loader)
            .getMethod("builder", String.class, Object.class, ToDoubleFunction.class)
            .invoke(null, measure.name(), ALIVE, value);
    Class<?> builderType = builder.getClass();
    builderType.getMethod("description", String.class).invoke(builder, measure.description());
    Method tag = builderType.getMethod("tag", String.class, String.class);
    for (Map.Entry<String, String> entry : measure.tags().entrySet()) {
      tag.invoke(builder, entry.getKey(), entry.getValue());
    }
    return builderType.getMethod("register", registryType).invoke(builder, registry);
  }

  /** Meters hold weakly what they measure; this object is never collected. */
  private static final Object ALIVE = new Object();

  /** The value of a meter. */
  private static final class Value implements ToDoubleFunction<Object>, AutoCloseable {
    private final Measure measure;
    private final Supplier<CaptureStatus> status;
    private AutoCloseable removal = () -> {};

    Value(Measure measure, Supplier<CaptureStatus> status) {
      this.measure = measure;
      this.status = status;
    }

    @Override
    public double applyAsDouble(Object ignored) {
      return measure.value().applyAsLong(status.get());
    }

    @Override
    public void close() throws Exception {
      removal.close();
    }
  }
}
