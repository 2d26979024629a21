package io.camhook.telemetry;

import io.camhook.capture.CaptureStatus;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The meter {@code io.camhook} of an application's global OpenTelemetry. */
final class OpenTelemetryMetrics implements MetricsLibrary {
  static final String CLASS = "io.opentelemetry.api.GlobalOpenTelemetry";
  private static final String API = "io.opentelemetry.api.";

  private final ClassLoader loader;
  private final Class<?> meterType;
  private final Object meter;
  private final Class<?> attributesType;
  private final Method record;
  private final Supplier<CaptureStatus> status;
  private final Map<String, Instrument> instruments = new HashMap<>();

  /**
   * @param global the class {@link #CLASS}
   */
  OpenTelemetryMetrics(Class<?> global, Supplier<CaptureStatus> status)
      throws ReflectiveOperationException {
    this.loader = global.getClassLoader();
    this.meterType = type("metrics.Meter");
    this.meter = global.getMethod("getMeter", String.class).invoke(null, "io.camhook");
    this.attributesType = type("common.Attributes");
    this.record =
        type("metrics.ObservableLongMeasurement").getMethod("record", long.class, attributesType);
    this.status = status;
  }

  /** Whether the application has set it; asking it directly would set it for good. */
  static boolean isSet(Class<?> global) {
    try {
      return (boolean) global.getMethod("isSet").invoke(null);
    } catch (ReflectiveOperationException e) {
      // an older API: read its field
    }
    try {
      Field field = global.getDeclaredField("globalOpenTelemetry");
      field.setAccessible(true);
      return field.get(null) != null;
    } catch (ReflectiveOperationException | RuntimeException e) {
      return false; // an unknown API is left alone
    }
  }

  private Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(API + name, true, loader);
  }

  @Override
  public void publish(List<Measure> measures) throws ReflectiveOperationException {
    for (Measure measure : measures) {
      Point point = new Point(measure, attributes(measure.tags()));
      Instrument instrument = instruments.get(measure.name());
      if (instrument == null) {
        instrument = new Instrument();
        instruments.put(measure.name(), instrument);
        instrument.registration = register(measure, instrument);
      }
      instrument.points.add(point);
    }
  }

  private AutoCloseable register(Measure measure, Instrument instrument)
      throws ReflectiveOperationException {
    Object builder;
    Class<?> builderType;
    if (measure.grows()) {
      builder = meterType.getMethod("counterBuilder", String.class).invoke(meter, measure.name());
      builderType = type("metrics.LongCounterBuilder");
    } else {
      Object doubles =
          meterType.getMethod("gaugeBuilder", String.class).invoke(meter, measure.name());
      builder = type("metrics.DoubleGaugeBuilder").getMethod("ofLongs").invoke(doubles);
      builderType = type("metrics.LongGaugeBuilder");
    }
    builderType.getMethod("setUnit", String.class).invoke(builder, measure.unit());
    builderType.getMethod("setDescription", String.class).invoke(builder, measure.description());
    return (AutoCloseable)
        builderType.getMethod("buildWithCallback", Consumer.class).invoke(builder, instrument);
  }

  private Object attributes(Map<String, String> tags) throws ReflectiveOperationException {
    Object builder = attributesType.getMethod("builder").invoke(null);
    Class<?> builderType = type("common.AttributesBuilder");
    Method put = builderType.getMethod("put", String.class, String.class);
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      put.invoke(builder, tag.getKey(), tag.getValue());
    }
    return builderType.getMethod("build").invoke(builder);
  }

  @Override
  public void close() throws ReflectiveOperationException {
    for (Instrument instrument : instruments.values()) {
      try {
        instrument.registration.close();
      } catch (Exception e) {
        throw new InvocationTargetException(e);
      }
    }
  }

  private record Point(Measure measure, Object attributes) {}

  /** Called when metrics are collected; the SDK holds it, and it holds this library's object. */
  private final class Instrument implements Consumer<Object> {
    final List<Point> points = new CopyOnWriteArrayList<>();
    AutoCloseable registration = () -> {};

    @Override
    public void accept(Object measurement) {
      CaptureStatus now = status.get();
      try {
        for (Point point : points) {
          record.invoke(measurement, point.measure().value().applyAsLong(now), point.attributes());
        }
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
