package io.camhook.telemetry;

import io.camhook.capture.CaptureStatus;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** The global registry of an application's Micrometer. */
final class MicrometerMetrics implements MetricsLibrary {
  static final String CLASS = "io.micrometer.core.instrument.Metrics";
  private static final String PACKAGE = "io.micrometer.core.instrument.";

  /** Meters hold weakly what they measure; this object is never collected. */
  private static final Object ALIVE = new Object();

  private final ClassLoader loader;
  private final Object registry;
  private final Class<?> registryType;
  private final Supplier<CaptureStatus> status;
  private final List<Object> meters = new ArrayList<>();

  /**
   * @param metrics the class {@link #CLASS}
   */
  MicrometerMetrics(Class<?> metrics, Supplier<CaptureStatus> status)
      throws ReflectiveOperationException {
    this.loader = metrics.getClassLoader();
    this.registry = metrics.getField("globalRegistry").get(null);
    this.registryType = Class.forName(PACKAGE + "MeterRegistry", true, loader);
    this.status = status;
  }

  @Override
  public void publish(List<Measure> measures) throws ReflectiveOperationException {
    for (Measure measure : measures) {
      meters.add(meter(measure));
    }
  }

  private Object meter(Measure measure) throws ReflectiveOperationException {
    String type = PACKAGE + (measure.grows() ? "FunctionCounter" : "Gauge");
    Object builder =
        Class.forName(type, true, loader)
            .getMethod("builder", String.class, Object.class, ToDoubleFunction.class)
            .invoke(null, measure.name(), ALIVE, new Value(measure));
    Class<?> builderType = builder.getClass();
    builderType.getMethod("description", String.class).invoke(builder, measure.description());
    Method tag = builderType.getMethod("tag", String.class, String.class);
    for (Map.Entry<String, String> entry : measure.tags().entrySet()) {
      tag.invoke(builder, entry.getKey(), entry.getValue());
    }
    return builderType.getMethod("register", registryType).invoke(builder, registry);
  }

  @Override
  public void close() throws ReflectiveOperationException {
    Class<?> meterType = Class.forName(PACKAGE + "Meter", true, loader);
    Method remove = registryType.getMethod("remove", meterType);
    for (Object meter : meters) {
      remove.invoke(registry, meter);
    }
  }

  /** The value of a meter, which keeps this library's object alive. */
  private final class Value implements ToDoubleFunction<Object> {
    private final Measure measure;

    Value(Measure measure) {
      this.measure = measure;
    }

    @Override
    public double applyAsDouble(Object ignored) {
      return measure.value().applyAsLong(status.get());
    }
  }
}
