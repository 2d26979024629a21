package io.camhook.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.KafkaOutput;
import io.camhook.fleet.Fleet.Application;
import io.camhook.recording.Counters;
import io.camhook.recording.Safetensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code camhook process kafka:…} in separate processes, and a real broker. */
@Timeout(600)
class KafkaProcessIT extends WithBroker {
  @TempDir Path directory;

  private static void record(String topic, int first, int last) {
    try (Application application =
        new Application(KafkaOutput.of(broker.bootstrap(), topic), Limits.WhenFull.BLOCK)) {
      for (int i = first; i < last; i++) {
        application.request(Fleet.capture(i, 64));
      }
      application.close();
      assertThat(application.recorder.counters())
          .isEqualTo(new Counters(last - first, last - first, 0, 0));
    }
  }

  private Process processor(String name, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                "-cp",
                System.getProperty("java.class.path"),
                "io.camhook.cli.Camhook",
                "process"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve(name + ".txt").toFile())
        .start();
  }

  private String said(String name) throws IOException {
    return Files.readString(directory.resolve(name + ".txt"));
  }

  private static TreeSet<String> files(Path output, String suffix) throws IOException {
    TreeSet<String> names = new TreeSet<>();
    if (Files.exists(output)) {
      try (Stream<Path> files = Files.list(output)) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(suffix) && !name.startsWith("."))
            .forEach(names::add);
      }
    }
    return names;
  }

  private static TreeSet<String> expected(int count, String suffix) {
    TreeSet<String> names = new TreeSet<>();
    IntStream.range(0, count).forEach(i -> names.add(Fleet.id(i) + suffix));
    return names;
  }

  private static long committed(String group) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      Map<TopicPartition, OffsetAndMetadata> offsets =
          admin
              .listConsumerGroupOffsets(group)
              .partitionsToOffsetAndMetadata()
              .get(1, TimeUnit.MINUTES);
      return offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum();
    }
  }

  @Test
  void group_of_which_one_is_killed_and_one_joins_should_make_each_heatmap_once() throws Exception {
    int count = 600;
    broker.topic("fleet", 6, Map.of());
    record("fleet", 0, count / 2);
    Path output = directory.resolve("maps");
    String topic = "kafka:" + broker.bootstrap() + "/fleet";
    String[] arguments = {
      topic, "--group", "g", "--follow", "-m", "gradcam", "-o", output.toString()
    };
    List<Process> processors = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        processors.add(processor("p" + i, arguments));
      }
      Awaitility.await()
          .atMost(Duration.ofMinutes(3))
          .until(() -> files(output, ".safetensors").size() > 30);
      processors.get(0).destroyForcibly().waitFor();
      // Everything committed had been written: the offsets are read first, because the two
      // remaining processors keep writing.
      int committed = (int) committed("g");
      assertThat(files(output, ".safetensors")).hasSizeGreaterThanOrEqualTo(committed);
      processors.add(processor("p3", arguments));
      record("fleet", count / 2, count);
      Awaitility.await()
          .atMost(Duration.ofMinutes(3))
          .until(() -> files(output, ".safetensors").size() == count);
      Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> committed("g") == count);
      for (Process each : processors) {
        each.destroy(); // SIGTERM
      }
      for (int i = 1; i < processors.size(); i++) {
        assertThat(processors.get(i).waitFor(1, TimeUnit.MINUTES)).as(said("p" + i)).isTrue();
        System.out.print("p" + i + ": " + said("p" + i));
      }
    } finally {
      processors.forEach(Process::destroyForcibly);
    }
    assertThat(files(output, ".safetensors")).isEqualTo(expected(count, ".safetensors"));
    assertThat(files(output, ".png")).isEqualTo(expected(count, ".gradcam.png"));
    assertThat(Safetensors.read(output.resolve(Fleet.id(5) + ".safetensors")).tensors())
        .containsKeys("raw/gradcam/layer4", "heatmap/gradcam");
  }

  @Test
  void topic_should_be_processed_to_its_end_without_follow() throws Exception {
    broker.topic("once", 2, Map.of());
    record("once", 0, 20);
    String topic = "kafka:" + broker.bootstrap() + "/once";
    Path output = directory.resolve("once");
    Process first = processor("first", topic, "--group", "o", "-o", output.toString());
    assertThat(first.waitFor()).as(said("first")).isZero();
    assertThat(said("first")).startsWith("20 captures, ");
    Process again = processor("again", topic, "--group", "o", "-o", output.toString());
    assertThat(again.waitFor()).as(said("again")).isZero();
    assertThat(said("again")).startsWith("0 captures, ");
    // another group begins at the start, and finds everything done
    Process other = processor("other", topic, "--group", "p", "-o", output.toString());
    assertThat(other.waitFor()).as(said("other")).isZero();
    assertThat(said("other")).contains("20 captures were there already");
  }

  @Test
  void record_that_is_no_capture_should_be_named_and_passed() throws Exception {
    broker.topic("mixed", 1, Map.of());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.send(
          new ProducerRecord<>("mixed", "hello there, topic".getBytes(StandardCharsets.UTF_8)));
    }
    record("mixed", 0, 3);
    Path output = directory.resolve("mixed");
    String topic = "kafka:" + broker.bootstrap() + "/mixed";
    Process process = processor("mixed", topic, "-o", output.toString());
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(said("mixed")).contains("3 captures").contains("partition 0, offset 0: ");
    assertThat(committed("camhook")).isEqualTo(4);
  }

  @Test
  void topic_that_does_not_exist_should_be_named() throws Exception {
    Process process =
        processor("none", "kafka:" + broker.bootstrap() + "/none", "-o", directory.toString());
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(said("none")).contains("topic none does not exist on " + broker.bootstrap());
  }
}
