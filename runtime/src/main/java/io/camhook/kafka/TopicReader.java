package io.camhook.kafka;

import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import io.camhook.recording.RecordingException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads captures from a topic as a member of a consumer group. Until {@link #commit}, the group may
 * receive captures from {@link #poll} again, in this member or another. Not thread-safe.
 */
public final class TopicReader implements Closeable {
  private static final Duration ANSWER = Duration.ofSeconds(10);

  /** A member without a partition for this long is one more than there are partitions. */
  private static final long SPARE_NANOS = Duration.ofSeconds(10).toNanos();

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final String topic;
  private final @Nullable Path claims;
  private final Secrets secrets;
  private long idleSince = System.nanoTime();

  /**
   * One record.
   *
   * @param capture null if it cannot be read
   * @param model its model with the recorded modules, as far as they are known
   * @param damage why it cannot be read; null if it can
   */
  public record Received(
      @Nullable Capture capture, @Nullable ModelInfo model, @Nullable String damage) {
    private static Received of(Capture capture, Map<String, String> types) {
      List<ModuleInfo> modules = new ArrayList<>();
      types.forEach((path, type) -> modules.add(new ModuleInfo(path, type, null, null)));
      return new Received(capture, new ModelInfo(capture.model(), modules), null);
    }

    private static Received damaged(String what) {
      return new Received(null, null, what);
    }
  }

  private TopicReader(
      KafkaConsumer<byte[], byte[]> consumer,
      String topic,
      @Nullable Path claims,
      Secrets secrets) {
    this.consumer = consumer;
    this.topic = topic;
    this.claims = claims;
    this.secrets = secrets;
  }

  /**
   * Joins a group.
   *
   * @param bootstrap brokers to begin with, {@code host:port,host:port}
   * @param properties further ones of the consumer
   * @param claims directory of captures that were too large for the topic; null if there are none
   * @throws IOException if no broker answers or the topic does not exist
   */
  public static TopicReader open(
      String bootstrap,
      String topic,
      String group,
      Map<String, String> properties,
      @Nullable Path claims)
      throws IOException {
    Properties all = new Properties();
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    all.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "20");
    all.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, "600000");
    all.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, Integer.toString(16 << 20));
    all.put("client.id", "camhook-process-" + ProcessHandle.current().pid());
    all.put("enable.metrics.push", "false");
    all.put("metric.reporters", "");
    all.put("reconnect.backoff.max.ms", "2000");
    all.putAll(properties);
    all.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    all.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
    all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
    Secrets secrets = new Secrets(properties);
    KafkaConsumer<byte[], byte[]> consumer = null;
    try {
      consumer = new KafkaConsumer<>(all);
      if (consumer.partitionsFor(topic, ANSWER).isEmpty()) {
        throw new IOException(
            "topic %s does not exist on %s; it is made when the first capture is sent"
                .formatted(topic, bootstrap));
      }
      consumer.subscribe(List.of(topic));
      return new TopicReader(consumer, topic, claims, secrets);
    } catch (KafkaException e) {
      throw failed("topic %s of %s cannot be read".formatted(topic, bootstrap), e, secrets);
    } finally {
      if (consumer != null && consumer.subscription().isEmpty()) {
        consumer.close();
      }
    }
  }

  /**
   * Waits for captures, at most for the given time.
   *
   * @return the received captures, possibly none
   */
  public List<Received> poll(Duration timeout) throws IOException {
    List<Received> received = new ArrayList<>();
    try {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(timeout)) {
        received.add(read(record));
      }
    } catch (KafkaException e) {
      throw failed("topic " + topic + " cannot be read", e, secrets);
    }
    if (!received.isEmpty() || !consumer.assignment().isEmpty()) {
      idleSince = System.nanoTime();
    }
    return received;
  }

  private Received read(ConsumerRecord<byte[], byte[]> record) {
    String where = "partition %d, offset %d".formatted(record.partition(), record.offset());
    byte[] value = record.value();
    if (value == null) {
      return Received.damaged(where + ": a record without a value");
    }
    try {
      if (!Records.isPointer(record.headers())) {
        return Received.of(Capture.read(ByteBuffer.wrap(value)), Records.types(record.headers()));
      }
      String file = Records.file(value);
      if (claims == null) {
        return Received.damaged(
            "%s: a capture that was too large for the topic; name the directory with %s: --claim-check DIR"
                .formatted(where, file));
      }
      return Received.of(
          Capture.read(ByteBuffer.wrap(Files.readAllBytes(claims.resolve(file)))),
          Records.types(record.headers()));
    } catch (RecordingException e) {
      return Received.damaged(where + ": " + e.getMessage());
    } catch (IOException e) {
      return Received.damaged(where + ": " + e);
    }
  }

  /**
   * Tells the group that everything polled is done. If the group has given the partitions to other
   * members meanwhile, they do it again.
   */
  public void commit() throws IOException {
    try {
      consumer.commitSync(ANSWER);
    } catch (CommitFailedException | RebalanceInProgressException e) {
      // another member has the partitions now, and begins after the last commit
    } catch (KafkaException e) {
      throw failed("offsets of topic " + topic + " cannot be committed", e, secrets);
    }
  }

  /** Whether everything on this member's partitions was polled. */
  public boolean isCaughtUp() throws IOException {
    Set<TopicPartition> mine = consumer.assignment();
    if (mine.isEmpty()) {
      return System.nanoTime() - idleSince > SPARE_NANOS;
    }
    try {
      for (Map.Entry<TopicPartition, Long> end : consumer.endOffsets(mine, ANSWER).entrySet()) {
        if (consumer.position(end.getKey(), ANSWER) < end.getValue()) {
          return false;
        }
      }
      return true;
    } catch (KafkaException e) {
      throw failed("topic " + topic + " cannot be read", e, secrets);
    }
  }

  private static IOException failed(String what, KafkaException e, Secrets secrets) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new IOException(what + ": " + secrets.hide(String.valueOf(cause.getMessage())));
  }

  /** Leaves the group. */
  @Override
  public void close() {
    consumer.close();
  }
}
