package io.camhook.agent;

import io.camhook.agent.yaml.KafkaReader;
import io.camhook.agent.yaml.SinkReader;
import io.camhook.capture.CaptureQueue;
import io.camhook.capture.CaptureSink;
import io.camhook.config.CamhookConfig;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** {@code output.kafka}: captures go to a topic. */
final class KafkaRecipe implements SinkRecipe {
  /** The sink gets one part in this many of {@code limits.queue}, for its own copies. */
  private static final int SHARE = 4;

  @Override
  public SinkReader settings() {
    return KafkaReader.KAFKA;
  }

  @Override
  public @Nullable Destination destination(
      CamhookConfig config, @Nullable Path yaml, EventLog log) {
    if (!(config.output().sink() instanceof KafkaOutput kafka)) {
      return null;
    }
    long bytes = CaptureQueue.capacity(config.limits());
    long own = bytes / SHARE;
    warnIfMissing(kafka, log);
    return new Destination(
        kafka.toString(),
        () -> open(config, kafka, yaml, own, log),
        config.limits().withQueue(bytes - own));
  }

  private static CaptureSink open(
      CamhookConfig config, KafkaOutput kafka, @Nullable Path yaml, long bytes, EventLog log)
      throws IOException {
    try {
      return AdapterLoader.kafka(KafkaJars.loader(kafka))
          .open(config, Output.published(yaml), bytes, log);
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new IOException("kafka-clients does not fit output.kafka: " + e, e);
    }
  }

  /** Warns at the start, when people read the log, rather than with the first capture. */
  private static void warnIfMissing(KafkaOutput kafka, EventLog log) {
    try {
      KafkaJars.find(kafka);
    } catch (IOException e) {
      log.warn(String.valueOf(e.getMessage()));
    }
  }
}
