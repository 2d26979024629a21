package io.camhook.telemetry;

import io.camhook.capture.CaptureObserver;
import io.camhook.capture.PendingCapture;

/**
 * Sets {@code camhook.capture.id} on the current span of the application's own OpenTelemetry, so
 * that a trace leads to its capture.
 */
final class SpanAttribute implements CaptureObserver {
  static final String KEY = "camhook.capture.id";
  private static final String SPAN = "io.opentelemetry.api.trace.Span";

  private final ApplicationClasses classes = new ApplicationClasses();

  @Override
  public void submitted(PendingCapture capture) {
    String id = capture.id();
    Class<?> span = id == null ? null : classes.find(SPAN, ApplicationClasses.ofThread());
    if (span == null) {
      return;
    }
    try {
      Object current = span.getMethod("current").invoke(null);
      span.getMethod("setAttribute", String.class, String.class).invoke(current, KEY, id);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e); // the caller counts it
    }
  }
}
