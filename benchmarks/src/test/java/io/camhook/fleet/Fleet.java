package io.camhook.fleet;

import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.config.CamhookConfig.Sampling;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import io.camhook.kafka.KafkaSinks;
import io.camhook.kafka.TopicReader;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;

/** What tests with a broker have in common. */
final class Fleet {
  static final long QUEUE = 16 << 20;

  private Fleet() {}

  /** A program that records to a topic. */
  static final class Application implements AutoCloseable, EventLog {
    final List<String> lines = new CopyOnWriteArrayList<>();
    final Recorder recorder;

    Application(KafkaOutput kafka, Limits.WhenFull whenFull) {
      this(
          kafka,
          new Limits(QUEUE, whenFull, Duration.ofSeconds(60), Duration.ofSeconds(20), false));
    }

    Application(KafkaOutput kafka, Limits limits) {
      CamhookConfig config =
          new CamhookConfig(
              List.of(),
              new Sampling(1, Double.POSITIVE_INFINITY),
              limits,
              new Output(null, 1, Permissions.OWNER, DiskLimits.NONE, kafka),
              false);
      recorder =
          new Recorder(
              limits.withQueue(QUEUE / 4 * 3),
              kafka.toString(),
              () -> new KafkaSinks().open(config, null, QUEUE / 4, this),
              this);
    }

    /** Records a capture in the same way as a request; false if it was refused. */
    boolean request(Capture capture) {
      return recorder.admits() && recorder.submit(new HeapCapture(capture));
    }

    @Override
    public void info(String message) {
      lines.add(message);
    }

    @Override
    public void warn(String message) {
      lines.add(message);
    }

    @Override
    public void failure(String message, Throwable cause) {
      lines.add(message + ": " + cause);
    }

    @Override
    public void close() {
      recorder.close();
    }
  }

  static KafkaOutput with(
      KafkaOutput kafka, long spool, Path spoolDirectory, Path claims, Map<String, String> more) {
    return new KafkaOutput(
        kafka.bootstrap(),
        kafka.topic(),
        kafka.compression(),
        kafka.maxBytes(),
        spool,
        spoolDirectory,
        claims,
        List.of(),
        more);
  }

  /** A picture of 8×8, A and g of [1,C,4,4]. */
  static Capture capture(int number, int channels) {
    Random random = new Random(number);
    byte[] picture = new byte[8 * 8 * 3];
    random.nextBytes(picture);
    LayerOutput layer = LayerOutput.of("layer4");
    return Capture.builder("net")
        .id(id(number))
        .targets(List.of(new Target(0, 0, 1, "cat", 1)))
        .tensor(TensorName.IMAGE, Tensor.ofBytes(picture, 8, 8, 3))
        .tensor(TensorName.activation(layer), normal(random, channels))
        .tensor(TensorName.gradient(0, layer), normal(random, channels))
        .tensor(TensorName.output(0), Tensor.ofFloats(new float[] {0, number}, 1, 2))
        .build();
  }

  static String id(int number) {
    return "c-%06d".formatted(number);
  }

  private static Tensor normal(Random random, int channels) {
    float[] values = new float[channels * 16];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(values, 1, channels, 4, 4);
  }

  /** Everything on a topic, read by a separate group. */
  static List<Capture> all(String bootstrap, String topic, Path claims) throws IOException {
    return first(Integer.MAX_VALUE, bootstrap, topic, claims);
  }

  /** The first captures of a topic to which somebody may still write; all if there are fewer. */
  static List<Capture> first(int most, String bootstrap, String topic, Path claims)
      throws IOException {
    List<Capture> all = new ArrayList<>();
    try (TopicReader reader =
        TopicReader.open(bootstrap, topic, "all-" + System.nanoTime(), Map.of(), claims)) {
      while (true) {
        List<TopicReader.Received> received = reader.poll(Duration.ofMillis(200));
        for (TopicReader.Received each : received) {
          if (each.capture() == null) {
            throw new IOException(each.damage());
          }
          all.add(each.capture());
        }
        if (all.size() >= most || received.isEmpty() && reader.isCaughtUp()) {
          return all;
        }
      }
    }
  }

  static List<String> ids(List<Capture> captures) {
    return captures.stream().map(Capture::id).toList();
  }
}
