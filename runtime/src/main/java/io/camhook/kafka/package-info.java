/**
 * Captures on Kafka: the sink that sends them, with and without a spool on disk, and the reader of
 * a topic. The only package that links to kafka-clients.
 */
@NullMarked
package io.camhook.kafka;

import org.jspecify.annotations.NullMarked;
