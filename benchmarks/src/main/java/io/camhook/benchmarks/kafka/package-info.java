/** A Kafka broker of its own, and what sending captures to it costs. */
@NullMarked
package io.camhook.benchmarks.kafka;

import org.jspecify.annotations.NullMarked;
