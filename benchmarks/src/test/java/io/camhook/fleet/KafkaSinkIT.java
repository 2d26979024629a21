package io.camhook.fleet;

import static io.camhook.fleet.Fleet.all;
import static io.camhook.fleet.Fleet.capture;
import static io.camhook.fleet.Fleet.ids;
import static io.camhook.fleet.Fleet.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.benchmarks.kafka.KafkaBroker;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Loss;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.KafkaOutput;
import io.camhook.fleet.Fleet.Application;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sink and a real broker, which is frozen, killed and started again. */
@Timeout(600)
class KafkaSinkIT extends WithBroker {
  @TempDir Path directory;

  private static KafkaOutput topic(String name, int partitions, Map<String, String> settings) {
    broker.topic(name, partitions, settings);
    return KafkaOutput.of(broker.bootstrap(), name);
  }

  private static List<String> expected(int count) {
    return IntStream.range(0, count).mapToObj(Fleet::id).toList();
  }

  private static void await(java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await().atMost(Duration.ofMinutes(2)).until(condition);
  }

  @Test
  void captures_should_arrive_as_they_are_and_in_order() throws Exception {
    KafkaOutput kafka = topic("plain", 1, Map.of());
    try (Application application = new Application(kafka, Limits.WhenFull.BLOCK)) {
      for (int i = 0; i < 300; i++) {
        assertThat(application.request(capture(i, 32))).isTrue();
      }
      application.close();
      assertThat(application.recorder.counters()).isEqualTo(new Counters(300, 300, 0, 0));
      assertThat(application.lines)
          .containsExactly(
              "300 of 300 captures written to topic plain of "
                  + broker.bootstrap()
                  + ", 0 dropped, 0 failed");
    }
    List<Capture> arrived = all(broker.bootstrap(), "plain", null);
    assertThat(ids(arrived)).isEqualTo(expected(300));
    assertThat(arrived.get(7).toBytes()).isEqualTo(capture7().toBytes());
  }

  /** Two captures of the same number differ only in their times. */
  private static Capture capture7() throws IOException {
    Capture original = all(broker.bootstrap(), "plain", null).get(7);
    Capture made = capture(7, 32);
    assertThat(original.tensors().keySet()).isEqualTo(made.tensors().keySet());
    made.tensors()
        .forEach(
            (name, tensor) ->
                assertThat(original.tensors().get(name).data()).isEqualTo(tensor.data()));
    return original;
  }

  @Test
  void killed_broker_should_get_everything_that_was_accepted_once_it_is_back() throws Exception {
    KafkaOutput kafka = topic("killed", 1, Map.of());
    TreeSet<String> accepted = new TreeSet<>();
    try (Application application = new Application(kafka, Limits.WhenFull.DROP)) {
      int number = 0;
      for (; number < 100; number++) {
        if (application.request(capture(number, 32))) {
          accepted.add(Fleet.id(number));
        }
      }
      await(() -> application.recorder.counters().written() >= 50);
      broker.kill();
      // the queue fills, then the output is paused, and requests cost nothing
      long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (application.recorder.status().state() != CaptureStatus.State.PAUSED
          && System.nanoTime() < deadline) {
        if (application.request(capture(number, 32))) {
          accepted.add(Fleet.id(number));
        }
        number++;
        Thread.onSpinWait();
      }
      assertThat(application.recorder.status().state()).isEqualTo(CaptureStatus.State.PAUSED);
      assertThat(application.request(capture(number++, 32))).isFalse();
      broker.start();
      await(() -> application.recorder.status().state() == CaptureStatus.State.RECORDING);
      for (int last = number + 50; number < last; number++) {
        if (application.request(capture(number, 32))) {
          accepted.add(Fleet.id(number));
        }
      }
      application.close();
      Counters counters = application.recorder.counters();
      assertThat(counters.fired())
          .isEqualTo(counters.written() + counters.dropped() + counters.failed());
      assertThat(counters.failed()).isZero();
      assertThat(counters.written()).isEqualTo(accepted.size());
      assertThat(application.lines)
          .anySatisfy(line -> assertThat(line).contains("no broker of topic killed"))
          .anySatisfy(line -> assertThat(line).contains("captures are written again, after"));
      System.out.println("killed broker: " + application.lines);
    }
    // idempotent: none twice, although the producer retried; and in order
    assertThat(ids(all(broker.bootstrap(), "killed", null))).isEqualTo(new ArrayList<>(accepted));
  }

  @Test
  void frozen_broker_should_cost_captures_and_nothing_else() throws Exception {
    KafkaOutput kafka = topic("frozen", 1, Map.of());
    try (Application application = new Application(kafka, Limits.WhenFull.DROP)) {
      application.request(capture(0, 32));
      await(() -> application.recorder.counters().written() == 1);
      broker.freeze();
      try {
        application.request(capture(1, 32));
        await(
            () -> {
              application.request(capture(2, 32));
              return application.recorder.status().state() == CaptureStatus.State.PAUSED;
            });
      } finally {
        broker.thaw();
      }
      await(() -> application.recorder.status().state() == CaptureStatus.State.RECORDING);
      application.close();
      Counters counters = application.recorder.counters();
      assertThat(counters.failed()).isZero();
      assertThat(counters.fired()).isEqualTo(counters.written() + counters.dropped());
    }
  }

  @Test
  void absent_broker_should_leave_the_application_alone() {
    KafkaOutput kafka = KafkaOutput.of("127.0.0.1:1", "nowhere");
    Limits limits =
        new Limits(
            Fleet.QUEUE, Limits.WhenFull.DROP, Duration.ofSeconds(1), Duration.ofSeconds(1), false);
    try (Application application = new Application(kafka, limits)) {
      application.request(capture(0, 32));
      await(() -> application.recorder.status().state() == CaptureStatus.State.PAUSED);
      for (int i = 1; i < 1000; i++) {
        assertThat(application.request(capture(i, 1))).isFalse();
      }
      // refused before anything was done for them: the queue holds the first alone
      assertThat(application.recorder.status().queueLength()).isEqualTo(1);
      assertThat(application.recorder.status().losses()).isEqualTo(Map.of(Loss.PAUSED, 999L));
      application.close();
      Counters counters = application.recorder.counters();
      assertThat(counters.fired()).isEqualTo(1000);
      assertThat(counters.written()).isZero();
      assertThat(counters.dropped() + counters.failed()).isEqualTo(1000);
      assertThat(application.lines).anySatisfy(line -> assertThat(line).contains("topic nowhere"));
    }
  }

  @Test
  void capture_above_the_limit_of_the_topic_should_be_reduced() throws Exception {
    KafkaOutput kafka = topic("small", 1, Map.of("max.message.bytes", "20000"));
    try (Application application = new Application(kafka, Limits.WhenFull.BLOCK)) {
      application.request(capture(0, 8)); // 2 · 8·16·4 bytes
      application.request(capture(1, 512)); // 2 · 512·16·4 = 65 536
      application.close();
      assertThat(application.recorder.counters()).isEqualTo(new Counters(2, 2, 0, 0));
      assertThat(application.lines)
          .anySatisfy(
              line ->
                  assertThat(line)
                      .contains("captures are larger than topic small")
                      .contains("takes (20000 bytes")
                      .contains("reduced to Grad-CAM's maps"));
    }
    List<Capture> arrived = all(broker.bootstrap(), "small", null);
    assertThat(arrived.get(0).tensors()).containsKey("activation/layer4");
    assertThat(arrived.get(1).tensors())
        .containsKeys("raw/gradcam/layer4", "output.0")
        .doesNotContainKey("activation/layer4");
    assertThat(arrived.get(1).extra()).containsEntry("reduced", "cam").containsKey("reducedFrom");
  }

  @Test
  void capture_above_the_limit_should_go_to_the_claim_check_directory() throws Exception {
    Path claims = directory.resolve("claims");
    KafkaOutput kafka =
        with(
            topic("claims", 1, Map.of("max.message.bytes", "20000")),
            0,
            directory,
            claims,
            Map.of());
    try (Application application = new Application(kafka, Limits.WhenFull.BLOCK)) {
      application.request(capture(0, 512));
      application.close();
      assertThat(application.recorder.counters()).isEqualTo(new Counters(1, 1, 0, 0));
    }
    assertThat(claims.resolve("c-000000.safetensors")).exists();
    assertThat(all(broker.bootstrap(), "claims", claims).get(0).tensors())
        .containsKey("activation/layer4");
  }

  private static Map<String, String> secured(String password) {
    return Map.of(
        "security.protocol", "SASL_SSL",
        "sasl.mechanism", "PLAIN",
        "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\";"
                .formatted(KafkaBroker.USER, password),
        "ssl.truststore.type", "PEM",
        "ssl.truststore.location", broker.certificate().toString());
  }

  @Test
  void properties_of_tls_and_sasl_should_reach_the_client_and_no_log() throws Exception {
    topic("secure", 1, Map.of());
    KafkaOutput there = KafkaOutput.of(broker.secureBootstrap(), "secure");
    KafkaOutput right = with(there, 0, directory, null, secured(KafkaBroker.PASSWORD));
    try (Application application = new Application(right, Limits.WhenFull.BLOCK)) {
      application.request(capture(0, 8));
      application.close();
      assertThat(application.recorder.counters()).isEqualTo(new Counters(1, 1, 0, 0));
    }
    assertThat(ids(all(broker.bootstrap(), "secure", null))).isEqualTo(expected(1));
    String wrong = "not-the-password-0815";
    Limits limits =
        new Limits(
            Fleet.QUEUE, Limits.WhenFull.DROP, Duration.ofSeconds(1), Duration.ofSeconds(1), false);
    try (Application application =
        new Application(with(there, 0, directory, null, secured(wrong)), limits)) {
      application.request(capture(1, 8));
      await(() -> application.recorder.status().state() == CaptureStatus.State.PAUSED);
      application.close();
      assertThat(application.lines)
          .anySatisfy(line -> assertThat(line).contains("Authentication failed"))
          .noneSatisfy(line -> assertThat(line).contains(wrong));
      assertThat(String.valueOf(application.recorder.status().reason())).doesNotContain(wrong);
    }
    // the message about a refused value must not contain the value either
    KafkaOutput broken =
        with(
            there,
            0,
            directory,
            null,
            Map.of(
                "security.protocol", "SASL_SSL",
                "sasl.mechanism", "PLAIN",
                "sasl.jaas.config", "no.such.Login required password=\"%s\";".formatted(wrong)));
    try (Application application = new Application(broken, limits)) {
      application.request(capture(2, 8));
      await(() -> application.recorder.status().state() == CaptureStatus.State.PAUSED);
      application.close();
      assertThat(application.lines).noneSatisfy(line -> assertThat(line).contains(wrong));
    }
  }

  @Test
  void spool_should_keep_captures_until_the_broker_is_back() throws Exception {
    Path spool = directory.resolve("spool");
    KafkaOutput kafka = with(topic("spooled", 1, Map.of()), 64 << 20, spool, null, Map.of());
    try (Application application = new Application(kafka, Limits.WhenFull.BLOCK)) {
      for (int i = 0; i < 100; i++) {
        application.request(capture(i, 32));
      }
      broker.kill();
      for (int i = 100; i < 400; i++) {
        assertThat(application.request(capture(i, 32))).isTrue();
      }
      await(() -> application.recorder.counters().written() == 400);
      broker.start();
      await(() -> all(broker.bootstrap(), "spooled", null).size() >= 400);
      application.close();
      assertThat(application.recorder.counters()).isEqualTo(new Counters(400, 400, 0, 0));
      System.out.println("spool: " + application.lines);
    }
    assertThat(ids(all(broker.bootstrap(), "spooled", null))).isEqualTo(expected(400));
    try (Stream<Path> left = Files.list(spool)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void spool_of_a_process_that_ended_should_be_sent_by_the_next() throws Exception {
    Path spool = directory.resolve("spool");
    KafkaOutput here = topic("left", 1, Map.of());
    KafkaOutput away = with(KafkaOutput.of("127.0.0.1:1", "left"), 64 << 20, spool, null, Map.of());
    Limits limits =
        new Limits(
            Fleet.QUEUE,
            Limits.WhenFull.BLOCK,
            Duration.ofSeconds(60),
            Duration.ofSeconds(2),
            false);
    try (Application first = new Application(away, limits)) {
      for (int i = 0; i < 50; i++) {
        first.request(capture(i, 32));
      }
      await(() -> first.recorder.counters().written() == 50);
      first.close();
      assertThat(first.recorder.counters()).isEqualTo(new Counters(50, 50, 0, 0));
      assertThat(first.lines)
          .anySatisfy(line -> assertThat(line).contains("50 captures wait in " + spool));
    }
    // spools are named by the second
    long second = Instant.now().getEpochSecond();
    await(() -> Instant.now().getEpochSecond() > second);
    try (Application next =
        new Application(with(here, 64 << 20, spool, null, Map.of()), Limits.WhenFull.BLOCK)) {
      next.request(capture(50, 32));
      next.close();
    }
    assertThat(ids(all(broker.bootstrap(), "left", null))).isEqualTo(expected(51));
    try (Stream<Path> left = Files.list(spool)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void full_spool_should_pause_and_lose_nothing_that_was_accepted() throws Exception {
    Path spool = directory.resolve("spool");
    KafkaOutput kafka = with(topic("full", 1, Map.of()), 1 << 20, spool, null, Map.of());
    TreeSet<String> accepted = new TreeSet<>();
    try (Application application = new Application(kafka, Limits.WhenFull.DROP)) {
      broker.kill();
      int number = 0;
      long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (application.recorder.status().state() != CaptureStatus.State.PAUSED
          && System.nanoTime() < deadline) {
        if (application.request(capture(number, 64))) {
          accepted.add(Fleet.id(number));
        }
        number++;
      }
      assertThat(application.lines)
          .anySatisfy(line -> assertThat(line).contains("output.kafka.spool"));
      broker.start();
      await(() -> application.recorder.status().state() == CaptureStatus.State.RECORDING);
      application.close();
      Counters counters = application.recorder.counters();
      assertThat(counters.failed()).isZero();
      assertThat(counters.written()).isEqualTo(accepted.size());
    }
    assertThat(ids(all(broker.bootstrap(), "full", null))).isEqualTo(new ArrayList<>(accepted));
  }
}
