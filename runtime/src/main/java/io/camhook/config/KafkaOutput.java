package io.camhook.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A topic that captures are sent to.
 *
 * @param bootstrap brokers to begin with, {@code host:port,host:port}
 * @param topic the topic
 * @param compression {@code lz4}, {@code zstd} or {@code none}
 * @param maxBytes bytes of the largest record that the topic takes; with {@link #ASK} the broker is
 *     asked
 * @param spoolBytes bytes of captures that wait on disk until they are sent; 0 keeps them in memory
 * @param spoolDirectory where they wait
 * @param claimCheck where captures go that are too large for the topic; null reduces them
 * @param classPath jars of kafka-clients and its dependencies, or directories with them; empty:
 *     beside the agent's jar
 * @param properties client properties with environment variables replaced by their values, so they
 *     may hold secrets
 */
public record KafkaOutput(
    String bootstrap,
    String topic,
    String compression,
    long maxBytes,
    long spoolBytes,
    Path spoolDirectory,
    @Nullable Path claimCheck,
    List<Path> classPath,
    Map<String, String> properties)
    implements SinkSettings {
  /** For {@code maxBytes}: the limit in the topic's configuration. */
  public static final long ASK = 0;

  public static final String DEFAULT_SPOOL_DIRECTORY = "captures/spool";

  public KafkaOutput {
    classPath = List.copyOf(classPath);
    properties = Map.copyOf(properties);
  }

  /** A topic with default settings, without a spool. */
  public static KafkaOutput of(String bootstrap, String topic) {
    return new KafkaOutput(
        bootstrap,
        topic,
        "lz4",
        ASK,
        0,
        Path.of(DEFAULT_SPOOL_DIRECTORY),
        null,
        List.of(),
        Map.of());
  }

  /** For messages; without the properties, which hold secrets. */
  @Override
  public String toString() {
    return "topic " + topic + " of " + bootstrap;
  }
}
