package io.camhook.kafka;

import io.camhook.capture.CaptureSink;
import io.camhook.capture.SinkFactory;
import io.camhook.config.CamhookConfig;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Run;
import io.camhook.recording.Spool;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Opens the sink that {@code output.kafka} asks for. */
public final class KafkaSinks implements SinkFactory {
  @Override
  public CaptureSink open(CamhookConfig config, @Nullable String yaml, long bytes, EventLog log)
      throws IOException {
    KafkaOutput kafka = (KafkaOutput) Objects.requireNonNull(config.output().sink());
    TopicWriter topic = new TopicWriter(kafka, bytes, log);
    if (kafka.spoolBytes() == 0) {
      topic.open();
      return new KafkaSink(topic);
    }
    Spool spool =
        Spool.open(
            kafka.spoolDirectory(), Run.begin(yaml, Map.of()), kafka.spoolBytes(), log::warn);
    return new SpooledKafkaSink(spool, topic, config.limits().close().dividedBy(2), log);
  }
}
