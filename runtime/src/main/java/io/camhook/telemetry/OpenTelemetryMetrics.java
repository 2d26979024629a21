package io.camhook.telemetry;

import io.camhook.capture.CaptureStatus;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Registers the counters with the global OpenTelemetry of an application. */
final class OpenTelemetryMetrics {
  static final String CLASS = "io.opentelemetry.api.GlobalOpenTelemetry";
  private static final String API = "io.opentelemetry.api.";

  private OpenTelemetryMetrics() {}

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

  /** Returns handles that unregister the instruments. */
  static List<AutoCloseable> register(
      Class<?> global, List<Measure> measures, Supplier<CaptureStatus> status) {
    try {
      ClassLoader loader = global.getClassLoader();
      Class<?> meterType = Class.forName(API + "metrics.Meter", true, loader);
      Object meter = global.getMethod("getMeter", String.class).invoke(null, "io.camhook");
      Map<String, List<Measure>> byName = new LinkedHashMap<>();
      for (Measure measure : measures) {
        byName.computeIfAbsent(measure.name(), ignored -> new ArrayList<>()).add(measure);
      }
      List<AutoCloseable> made = new ArrayList<>();
      for (List<Measure> ofName : byName.values()) {
        made.add(instrument(meter, meterType, ofName, status, loader));
      }
      return made;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static AutoCloseable instrument(
      Object meter,
      Class<?> meterType,
      List<Measure> measures,
      Supplier<CaptureStatus> status,
      ClassLoader loader)
      throws ReflectiveOperationException {
    Measure first = measures.get(0);
    Object builder;
    Class<?> builderType;
    if (first.grows()) {
      builder = meterType.getMethod("counterBuilder", String.class).invoke(meter, first.name());
      builderType = Class.forName(API + "metrics.LongCounterBuilder", true, loader);
    } else {
      Object doubles =
          meterType.getMethod("gaugeBuilder", String.class).invoke(meter, first.name());
      builder =
          Class.forName(API + "metrics.DoubleGaugeBuilder", true, loader)
              .getMethod("ofLongs")
              .invoke(doubles);
      builderType = Class.forName(API + "metrics.LongGaugeBuilder", true, loader);
    }
    builderType.getMethod("setUnit", String.class).invoke(builder, first.unit());
    builderType.getMethod("setDescription", String.class).invoke(builder, first.description());
    Class<?> attributesType = Class.forName(API + "common.Attributes", true, loader);
    Method record =
        Class.forName(API + "metrics.ObservableLongMeasurement", true, loader)
            .getMethod("record", long.class, attributesType);
    List<Object> attributes = new ArrayList<>();
    for (Measure measure : measures) {
      attributes.add(attributes(measure.tags(), attributesType, loader));
    }
    Callback callback = new Callback(measures, attributes, record, status);
    callback.instrument =
        (AutoCloseable)
            builderType.getMethod("buildWithCallback", Consumer.class).invoke(builder, callback);
    return callback;
  }

  /** Called when metrics are collected; the SDK holds it, and it holds its instrument. */
  private static final class Callback implements Consumer<Object>, AutoCloseable {
    private final List<Measure> measures;
    private final List<Object> attributes;
    private final Method record;
    private final Supplier<CaptureStatus> status;
    private AutoCloseable instrument = () -> {};

    Callback(
        List<Measure> measures,
        List<Object> attributes,
        Method record,
        Supplier<CaptureStatus> status) {
      this.measures = measures;
      this.attributes = attributes;
      this.record = record;
      this.status = status;
    }

    @Override
    public void accept(Object measurement) {
      CaptureStatus now = status.get();
      try {
        for (int i = 0; i < measures.size(); i++) {
          record.invoke(measurement, measures.get(i).value().applyAsLong(now), attributes.get(i));
        }
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() throws Exception {
      instrument.close();
    }
  }

  private static Object attributes(
      Map<String, String> tags, Class<?> attributesType, ClassLoader loader)
      throws ReflectiveOperationException {
    Object builder = attributesType.getMethod("builder").invoke(null);
    Class<?> builderType = Class.forName(API + "common.AttributesBuilder", true, loader);
    Method put = builderType.getMethod("put", String.class, String.class);
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      put.invoke(builder, tag.getKey(), tag.getValue());
    }
    return builderType.getMethod("build").invoke(builder);
  }
}
