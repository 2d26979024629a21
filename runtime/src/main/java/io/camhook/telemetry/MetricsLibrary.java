package io.camhook.telemetry;

import java.util.List;

/**
 * An application's own metrics library. What is published holds this object, and nothing of camhook
 * does, so that it goes with the application.
 */
interface MetricsLibrary extends AutoCloseable {
  /** Publishes more numbers. */
  void publish(List<Measure> measures) throws ReflectiveOperationException;

  /** Takes back all that was published. */
  @Override
  void close() throws ReflectiveOperationException;
}
