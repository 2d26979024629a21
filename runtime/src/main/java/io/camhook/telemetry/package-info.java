/**
 * What an operator sees of the captures of this JVM: a JMX bean, JFR events, metrics of the
 * application's own Micrometer or OpenTelemetry, an attribute of its spans, a line from time to
 * time.
 */
@NullMarked
package io.camhook.telemetry;

import org.jspecify.annotations.NullMarked;
