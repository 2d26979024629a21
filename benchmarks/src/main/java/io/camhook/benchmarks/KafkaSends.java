package io.camhook.benchmarks;

import io.camhook.benchmarks.kafka.KafkaBroker;
import io.camhook.capture.CaptureQueue;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.HeapCapture;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.config.CamhookConfig.Sampling;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import io.camhook.kafka.KafkaSinks;
import io.camhook.recording.Capture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Bytes per second from a submitted capture to the broker's acknowledgement (queue, checksum, blob,
 * producer), divided by that of a plain producer with the same settings and bytes. Both in turn, to
 * one broker on this machine; the best round of each counts. Then captures per second of 1, 2 and 4
 * processors of one topic.
 */
final class KafkaSends {
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int WARM_UP_ROUNDS = 2;
  private static final long ROUND_BYTES = Long.getLong("megabytes", 256) << 20;
  private static final int PROCESSED = Integer.getInteger("processed", 400);
  private static final long QUEUE = 64 << 20;

  private KafkaSends() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createTempDirectory("kafka-sends");
    Verdict verdict = new Verdict();
    try (KafkaBroker broker = KafkaBroker.start(directory)) {
      measure(broker, verdict, "ResNet-50 capture", SampleCaptures.of(224, 2048, 7));
      measure(broker, verdict, "demo capture", SampleCaptures.of(96, 64, 12));
      for (int processors : PROCESSED == 0 ? new int[0] : new int[] {1, 2, 4}) {
        process(broker, processors, directory);
      }
    } finally {
      delete(directory);
    }
    verdict.exit();
  }

  private static void measure(KafkaBroker broker, Verdict verdict, String what, Capture capture)
      throws IOException {
    String topic = what.replaceAll("[^A-Za-z0-9]", "-");
    broker.topic(
        topic,
        4,
        Map.of(
            "max.message.bytes",
            "4000000",
            "retention.bytes",
            "67108864",
            "segment.bytes",
            "33554432"));
    byte[] blob = capture.toBytes();
    int count = Math.toIntExact(ROUND_BYTES / blob.length);
    double plain = Double.POSITIVE_INFINITY;
    double captures = Double.POSITIVE_INFINITY;
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      double plainSeconds = plain(broker, topic, blob, count);
      double captureSeconds = captures(broker, topic, capture, count);
      if (round >= 0) {
        plain = Math.min(plain, plainSeconds);
        captures = Math.min(captures, captureSeconds);
      }
    }
    verdict.atLeast(
        0.80, plain / captures, "x plain sends, %s of %d kB".formatted(what, blob.length / 1000));
    Verdict.note(count / captures, "captures per second to the broker");
    Verdict.note(ROUND_BYTES / plain / (1 << 20), "MiB/s of plain sends");
  }

  private static double plain(KafkaBroker broker, String topic, byte[] blob, int count) {
    Map<String, Object> settings =
        Map.of(
            // more than one may retry for ever (KAFKA-14359)
            "max.in.flight.requests.per.connection", "1",
            "bootstrap.servers", broker.bootstrap(),
            "acks", "all",
            "compression.type", "lz4",
            "linger.ms", "5",
            "batch.size", "1048576",
            "max.request.size", "4000000",
            "buffer.memory", "53477376");
    long start;
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.partitionsFor(topic);
      start = System.nanoTime();
      for (int i = 0; i < count; i++) {
        producer.send(
            new ProducerRecord<>(topic, Capture.newId(java.time.Instant.now()).getBytes(), blob));
      }
      producer.flush();
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private static double captures(KafkaBroker broker, String topic, Capture capture, int count)
      throws IOException {
    Limits limits = new Limits(QUEUE, Limits.WhenFull.BLOCK, false);
    CamhookConfig config =
        new CamhookConfig(
            List.of(),
            new Sampling(1, Double.POSITIVE_INFINITY),
            limits,
            new Output(
                null,
                1,
                Permissions.OWNER,
                DiskLimits.NONE,
                KafkaOutput.of(broker.bootstrap(), topic)),
            false);
    CaptureSink sink = new KafkaSinks().open(config, null, QUEUE / 4, EventLog.SILENT);
    CaptureQueue queue =
        new CaptureQueue(
            sink,
            limits.withQueue(QUEUE / 4 * 3),
            (message, failure) -> System.err.println(message + " " + failure));
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      queue.submit(new HeapCapture(SampleCaptures.again(capture)));
    }
    queue.flush(Duration.ofMinutes(5));
    double seconds = (System.nanoTime() - start) / 1e9;
    if (!queue.close(Duration.ofMinutes(1)) || queue.counters().written() != count) {
      throw new IllegalStateException("not all captures were sent: " + queue.counters());
    }
    return seconds;
  }

  private static void process(KafkaBroker broker, int processors, Path directory)
      throws IOException, InterruptedException {
    String topic = "processed-" + processors;
    broker.topic(topic, 8, Map.of());
    captures(broker, topic, SampleCaptures.of(96, 64, 12), PROCESSED);
    Path output = directory.resolve(topic);
    List<Process> running = new ArrayList<>();
    for (int i = 0; i < processors; i++) {
      running.add(
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:+UseSerialGC",
                  "-Djava.awt.headless=true",
                  "-cp",
                  System.getProperty("java.class.path"),
                  "io.camhook.cli.Camhook",
                  "process",
                  "kafka:" + broker.bootstrap() + "/" + topic,
                  "--follow",
                  "-m",
                  "gradcam",
                  "-o",
                  output.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start());
    }
    try {
      // from a tenth to the end, so that the start of the JVMs does not count
      long begin = await(output, PROCESSED / 10);
      long end = await(output, PROCESSED);
      Verdict.note(
          PROCESSED * 0.9 / ((end - begin) / 1e9),
          "captures per second, processors: " + processors);
    } finally {
      for (Process each : running) {
        each.destroyForcibly().waitFor();
      }
    }
  }

  private static long await(Path output, int count) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
    while (System.nanoTime() < deadline) {
      if (Files.exists(output)) {
        try (Stream<Path> files = Files.list(output)) {
          if (files.filter(file -> file.toString().endsWith(".safetensors")).count() >= count) {
            return System.nanoTime();
          }
        }
      }
      Thread.sleep(10);
    }
    throw new IllegalStateException("processors made no progress");
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
