package io.camhook.kafka;

import io.camhook.capture.CaptureReducer;
import io.camhook.capture.CaptureRefusedException;
import io.camhook.capture.CaptureSink.Receipt;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.FileAccess;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/*
 * The writer's thread calls send; the producer's own thread calls back. A record is kept until it is
 * acknowledged. While the brokers are away, the producer retries forever, keeps the order and recognises
 * duplicates by itself. If it gives up (a permission was withdrawn, it was fenced off), it has failed: the
 * next send makes a new producer and sends everything that was not acknowledged again, in order.
 *
 * A producer accepts records while the brokers are away, as long as it has memory. To let the queue know, send
 * refuses once the oldest record has waited for PATIENCE without any acknowledgement. From then on nothing is
 * accepted until one comes.
 *
 * Memory: a record that was not acknowledged is there twice, here and in the producer's buffer. Both are
 * bounded by the number of bytes that the constructor is given; the second copy is the queue's own charge.
 */
/**
 * Sends captures to one topic, in order, with acknowledgements. Only one thread may call {@link
 * #send}.
 */
final class TopicWriter {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int ANSWER_MILLIS = 4_000;

  /** The default limit of a broker. */
  private static final long USUAL_MAX_BYTES = 1_048_588;

  /** Several captures are sent together; the producer reuses memory of this size. */
  private static final int BATCH_BYTES = 1 << 20;

  private static final int SPARE_BUFFER_BYTES = 4 << 20;

  private final KafkaOutput output;
  private final long bound;
  private final EventLog log;
  private final Secrets secrets;
  private final Object lock = new Object();

  /** In the order of sending; guarded by {@link #lock}, like all below. */
  private final Set<Sent> unacknowledged = new LinkedHashSet<>();

  /** Arrays of records that were acknowledged. */
  private final Deque<byte[]> spare = new ArrayDeque<>();

  private long spareBytes;
  private @Nullable KafkaProducer<byte[], byte[]> producer;
  private int generation;
  private @Nullable Exception failure;
  private long inFlight;
  private long lastNews;
  private long limit = USUAL_MAX_BYTES;
  private long reduced;
  private long checked;

  private static final class Sent {
    final Map<String, String> types;
    final long bytes;
    final Receipt receipt;
    ProducerRecord<byte[], byte[]> record;
    int generation;

    /** The reason, if the record was refused while it was passed to the producer. */
    @Nullable Exception inline;

    boolean posting;

    Sent(ProducerRecord<byte[], byte[]> record, Map<String, String> types, Receipt receipt) {
      this.types = types;
      this.record = record;
      this.bytes = record.value().length;
      this.receipt = receipt;
    }
  }

  /**
   * @param bound bytes of records that may be in flight; one is always allowed
   */
  TopicWriter(KafkaOutput output, long bound, EventLog log) {
    this.output = output;
    this.bound = bound;
    this.log = log;
    this.secrets = new Secrets(output.properties());
  }

  /**
   * Connects, unless it has.
   *
   * @throws IOException if no broker answers, or the topic cannot be written
   */
  void open() throws IOException {
    List<Sent> again;
    synchronized (lock) {
      if (producer != null && failure == null) {
        return;
      }
    }
    closeProducer(Duration.ZERO);
    KafkaProducer<byte[], byte[]> opened;
    try {
      opened = new KafkaProducer<>(producerProperties());
    } catch (KafkaException e) {
      throw failed("no producer for " + output, e);
    }
    try {
      if (opened.partitionsFor(output.topic()).isEmpty()) {
        throw new IOException(output + " has no partitions");
      }
    } catch (KafkaException e) {
      opened.close(Duration.ZERO);
      throw failed(output + " cannot be reached", e);
    }
    long most = output.maxBytes() == KafkaOutput.ASK ? askLimit() : output.maxBytes();
    synchronized (lock) {
      limit = failure instanceof RecordTooLargeException ? Math.min(limit, most) : most;
      producer = opened;
      generation++;
      failure = null;
      lastNews = System.nanoTime();
      again = new ArrayList<>(unacknowledged);
    }
    for (Sent sent : again) {
      post(sent);
    }
  }

  private Properties clientProperties() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", output.bootstrap());
    properties.put("client.id", "camhook-" + Run.localHost() + "-" + ProcessHandle.current().pid());
    properties.put("metric.reporters", "");
    properties.put("enable.metrics.push", "false");
    properties.put("reconnect.backoff.max.ms", "2000");
    properties.putAll(output.properties());
    return properties;
  }

  private Properties producerProperties() {
    Properties properties = new Properties();
    properties.put(ProducerConfig.ACKS_CONFIG, "all");
    properties.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, output.compression());
    properties.put(ProducerConfig.LINGER_MS_CONFIG, "5");
    properties.put(ProducerConfig.BATCH_SIZE_CONFIG, Long.toString(Math.min(BATCH_BYTES, limit)));
    properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, Integer.toString(ANSWER_MILLIS));
    properties.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG, Long.toString(3 * bound + SPARE_BUFFER_BYTES));
    // the size is checked here, with the topic's own limit
    properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(Integer.MAX_VALUE));
    properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.toString(Integer.MAX_VALUE));
    properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "10000");
    // With more, a partition whose leader is just being chosen may take the second batch first; the
    // producer then tries the first again without end (KAFKA-14359).
    properties.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, "1");
    properties.putAll(clientProperties());
    properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    properties.put(
        ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    return properties;
  }

  /** The topic's limit; if querying it is not permitted, a broker's default. */
  private long askLimit() {
    Properties properties = clientProperties();
    try (Admin admin = Admin.create(properties)) {
      ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, output.topic());
      Config found =
          Objects.requireNonNull(
              admin
                  .describeConfigs(List.of(topic))
                  .all()
                  .get(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                  .get(topic));
      return Long.parseLong(found.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return USUAL_MAX_BYTES;
    } catch (Exception e) {
      return USUAL_MAX_BYTES;
    }
  }

  /**
   * Hands a capture to the producer, which copies it.
   *
   * @param types of the model's modules, by path
   * @param receipt notified when it has arrived
   * @throws IOException if the brokers do not answer; the caller should retry
   * @throws CaptureRefusedException if it is larger than the topic takes and cannot be reduced
   */
  void send(Capture capture, Map<String, String> types, Receipt receipt) throws IOException {
    requireNews();
    open();
    Sent sent = new Sent(record(capture, types), types, receipt);
    awaitRoom(sent.bytes);
    synchronized (lock) {
      unacknowledged.add(sent);
      inFlight += sent.bytes;
      sent.posting = true;
      if (unacknowledged.size() == 1) {
        lastNews = System.nanoTime();
      }
    }
    post(sent);
    synchronized (lock) {
      sent.posting = false;
      Exception why = sent.inline;
      if (why != null) {
        unacknowledged.remove(sent);
        inFlight -= sent.bytes;
        throw failed(
            why instanceof TimeoutException
                ? "no broker of %s answers".formatted(output)
                : output + " does not take captures",
            why);
      }
    }
  }

  /** Refuses while the brokers do not acknowledge what was sent. */
  private void requireNews() throws IOException {
    synchronized (lock) {
      long silent = System.nanoTime() - lastNews;
      if (failure == null && !unacknowledged.isEmpty() && silent > PATIENCE.toNanos()) {
        throw new IOException(
            "no broker of %s answers; captures that were sent wait for it".formatted(output));
      }
    }
  }

  private void awaitRoom(long bytes) throws IOException {
    long until = System.nanoTime() + PATIENCE.toNanos();
    synchronized (lock) {
      while (inFlight > 0 && inFlight + bytes > bound && failure == null) {
        long millis = (until - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
          requireNews();
          throw new IOException("the brokers of " + output + " are slower than captures come");
        }
        try {
          lock.wait(millis);
        } catch (InterruptedException e) {
          throw new IOException("interrupted while " + output + " was waited for");
        }
      }
    }
  }

  private void post(Sent sent) throws IOException {
    KafkaProducer<byte[], byte[]> open;
    synchronized (lock) {
      open = producer;
      sent.generation = generation;
      if (open == null || failure != null) {
        if (sent.posting) {
          sent.inline = failure == null ? new IOException("it is closed") : failure;
        }
        return; // the next open sends it again
      }
    }
    try {
      if (!Records.isPointer(sent.record.headers()) && Records.size(sent.record) > limit) {
        sent.record = record(Capture.read(ByteBuffer.wrap(sent.record.value())), sent.types);
      }
      open.send(sent.record, (metadata, e) -> answered(sent, e));
    } catch (CaptureRefusedException e) {
      forget(sent);
      sent.receipt.refused(e);
    } catch (InterruptException | IllegalStateException e) {
      answered(sent, e);
    } catch (KafkaException e) {
      answered(sent, e);
    }
  }

  /**
   * An array of exactly that many bytes. Captures of a model have one size, and arrays of a
   * megabyte burden the garbage collector, so finished ones are reused.
   */
  private byte[] memory(int length) {
    synchronized (lock) {
      for (byte[] array = spare.poll(); array != null; array = spare.poll()) {
        spareBytes -= array.length;
        if (array.length == length) {
          return array;
        }
      }
    }
    return new byte[length];
  }

  private void forget(Sent sent) {
    synchronized (lock) {
      if (unacknowledged.remove(sent)) {
        inFlight -= sent.bytes;
        if (spareBytes + inFlight + sent.bytes <= bound) {
          spare.add(sent.record.value());
          spareBytes += sent.record.value().length;
        }
      }
      lastNews = System.nanoTime();
      lock.notifyAll();
    }
  }

  private void answered(Sent sent, @Nullable Exception e) {
    if (e == null) {
      forget(sent);
      sent.receipt.written();
      return;
    }
    synchronized (lock) {
      if (sent.generation != generation) {
        return; // from a producer that was given up; the record was sent again
      }
      if (sent.posting) {
        sent.inline = e;
      }
      // no broker answers: this producer continues, and recognises duplicates
      if (failure == null && !(e instanceof TimeoutException)) {
        failure = e;
        if (e instanceof RecordTooLargeException) {
          limit = Math.min(limit, Records.size(sent.record) - 1);
        }
      }
      lock.notifyAll();
    }
  }

  /** The record of a capture, or, if that is too large, of what is sent instead. */
  private ProducerRecord<byte[], byte[]> record(Capture capture, Map<String, String> types)
      throws IOException {
    byte[] blob = capture.toBytes(this::memory);
    ProducerRecord<byte[], byte[]> whole = Records.capture(output.topic(), capture, blob, types);
    if (Records.size(whole) <= limit) {
      return whole;
    }
    Path claims = output.claimCheck();
    if (claims != null) {
      String file = capture.id() + ".safetensors";
      write(claims, file, blob);
      if (checked++ == 0) {
        tellTooLarge(whole, "they are written to " + claims + ", and the topic gets pointers");
      }
      return Records.pointer(output.topic(), capture, file, types);
    }
    Capture smaller =
        CaptureReducer.reduced(capture, Map.of("reducedFrom", Integer.toString(blob.length)));
    ProducerRecord<byte[], byte[]> small =
        Records.capture(output.topic(), smaller, smaller.toBytes(), types);
    if (Records.size(small) > limit) {
      throw new CaptureRefusedException(
          "a capture of %d bytes, reduced to %d, is larger than %s takes (%d); give the topic a larger max.message.bytes, or output.kafka.claimCheck a directory"
              .formatted(blob.length, small.value().length, output, limit));
    }
    if (reduced++ == 0) {
      tellTooLarge(
          whole,
          "they are reduced to Grad-CAM's maps; give the topic a larger max.message.bytes, or"
              + " output.kafka.claimCheck a directory");
    }
    return small;
  }

  private void tellTooLarge(ProducerRecord<byte[], byte[]> record, String what) {
    log.warn(
        "captures are larger than %s takes (%d bytes, found %d): %s"
            .formatted(output, limit, Records.size(record), what));
  }

  private static void write(Path directory, String name, byte[] blob) throws IOException {
    FileAccess access = new FileAccess(Permissions.OWNER);
    access.createDirectories(directory);
    Path temporary = directory.resolve("." + name + ".tmp");
    Files.deleteIfExists(temporary);
    try (FileChannel file =
        access.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(blob);
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    }
    Files.move(
        temporary,
        directory.resolve(name),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private IOException failed(String what, Exception e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    // without the cause: its stack trace could reveal secret properties
    return new IOException(what + ": " + secrets.hide(String.valueOf(cause.getMessage())));
  }

  private void closeProducer(Duration timeout) {
    KafkaProducer<byte[], byte[]> open;
    synchronized (lock) {
      open = producer;
      producer = null;
      if (timeout.isZero()) {
        generation++; // later answers of the old producer do not matter
      }
    }
    if (open != null) {
      try {
        open.close(timeout);
      } catch (KafkaException e) {
        log.warn(
            "the producer could not be closed: " + secrets.hide(String.valueOf(e.getMessage())));
      }
    }
  }

  /** Waits for acknowledgements, at most that long, and closes. */
  void close(Duration timeout) {
    closeProducer(timeout);
    synchronized (lock) {
      if (reduced > 0) {
        log.warn(reduced + " captures were larger than the topic takes and were reduced");
      }
      if (checked > 0) {
        log.info(
            "%d captures were larger than the topic takes; they are in %s"
                .formatted(checked, output.claimCheck()));
      }
    }
  }
}
