/**
 * Monitoring of the captures in this JVM: a JMX bean, JFR events, metrics in the application's own
 * Micrometer or OpenTelemetry, an attribute on its spans, and a periodic log line.
 */
@NullMarked
package io.camhook.telemetry;

import org.jspecify.annotations.NullMarked;
