package io.camhook.kafka;

import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Sends captures to a topic. A capture is written when the brokers have acknowledged it. */
final class KafkaSink implements CaptureSink {
  /** The queue has already waited for the records in flight. */
  private static final Duration CLOSE = Duration.ofMillis(500);

  private final TopicWriter topic;

  /** Types of modules, by model and path. */
  private final Map<String, Map<String, String>> types = new HashMap<>();

  KafkaSink(TopicWriter topic) {
    this.topic = topic;
  }

  @Override
  public void write(Capture capture) throws IOException {
    throw new UnsupportedOperationException("a broker acknowledges later");
  }

  @Override
  public void write(Capture capture, Receipt receipt) throws IOException {
    topic.send(capture, types.getOrDefault(capture.model(), Map.of()), receipt);
  }

  @Override
  public void model(ModelInfo model) {
    types.put(model.name(), model.types());
  }

  @Override
  public void close(CaptureStatus status) {
    topic.close(CLOSE);
  }
}
