package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Limits.WhenFull;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class CaptureQueueTest {
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger discarded = new AtomicInteger();
  private final TestSink sink = new TestSink();

  private CaptureQueue queue(long bytes, WhenFull whenFull) {
    return new CaptureQueue(
        sink, new Limits(bytes, whenFull, false), (message, failure) -> log.add(message));
  }

  /** A capture that remembers whether its tensors were given back exactly once. */
  private final class Item implements PendingCapture {
    private final long bytes;
    private final boolean broken;
    private final AtomicInteger discards = new AtomicInteger();

    Item(long bytes, boolean broken) {
      this.bytes = bytes;
      this.broken = broken;
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public Capture materialize() {
      if (broken) {
        throw new IllegalStateException("no tensors");
      }
      return Capture.builder("net").extra("bytes", Long.toString(bytes)).build();
    }

    @Override
    public void discard() {
      assertThat(discards.incrementAndGet()).isEqualTo(1);
      discarded.incrementAndGet();
    }
  }

  private Item item(long bytes) {
    return new Item(bytes, false);
  }

  private static final class TestSink implements CaptureSink {
    final List<String> written = Collections.synchronizedList(new ArrayList<>());
    volatile CountDownLatch gate = new CountDownLatch(0);
    volatile int failEvery = Integer.MAX_VALUE;
    final CountDownLatch entered = new CountDownLatch(1);
    volatile Counters closedWith;
    volatile int flushes;
    volatile int failures;
    private int calls;

    @Override
    public void write(Capture capture) throws IOException {
      entered.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      if (failures > 0) {
        failures--;
        throw new IOException("disk full");
      }
      if (++calls % failEvery == 0) {
        throw new CaptureRefusedException("too large for the topic");
      }
      written.add(capture.extra().get("bytes"));
    }

    @Override
    public void flush() {
      flushes++;
    }

    @Override
    public void close(CaptureStatus status) {
      assertThat(closedWith).isNull();
      closedWith = status.counters();
    }

    /** Stops the writer thread inside {@link #write}. */
    void block() {
      gate = new CountDownLatch(1);
    }
  }

  @Test
  void captures_should_be_written_in_order_and_given_back() {
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    for (int i = 1; i <= 20; i++) {
      assertThat(queue.submit(item(i))).isTrue();
    }
    assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
    assertThat(sink.written).hasSize(20).startsWith("1", "2", "3").endsWith("20");
    assertThat(discarded).hasValue(20);
    assertThat(queue.heldBytes()).isZero();
    assertThat(queue.counters()).isEqualTo(new Counters(20, 20, 0, 0));
    assertThat(sink.closedWith).isEqualTo(queue.counters());
    assertThat(log).isEmpty();
  }

  @Test
  void full_queue_should_drop_and_say_so_once() throws InterruptedException {
    sink.block();
    CaptureQueue queue = queue(100, WhenFull.DROP);
    assertThat(queue.submit(item(60))).isTrue();
    sink.entered.await(); // being written, its bytes are still held
    assertThat(queue.submit(item(40))).isTrue();
    assertThat(queue.submit(item(1))).isFalse();
    assertThat(queue.submit(item(1))).isFalse();
    assertThat(queue.heldBytes()).isEqualTo(100);
    assertThat(queue.counters()).isEqualTo(new Counters(4, 0, 2, 0));
    sink.gate.countDown();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(4, 2, 2, 0));
    assertThat(discarded).hasValue(4);
    assertThat(log)
        .containsExactly(
            "a capture was dropped, further ones are only counted: the queue of 100 bytes is full"
                + " (limits.queue)");
  }

  @Test
  void full_queue_should_block_until_there_is_room() throws Exception {
    sink.block();
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    queue.submit(item(100));
    Thread submitting = new Thread(() -> queue.submit(item(50)));
    submitting.start();
    awaitBlocked(submitting);
    assertThat(queue.counters().fired()).isEqualTo(1);
    sink.gate.countDown();
    submitting.join();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(2, 2, 0, 0));
  }

  private static void awaitBlocked(Thread thread) {
    Awaitility.await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
  }

  @ParameterizedTest
  @EnumSource(WhenFull.class)
  void capture_larger_than_the_queue_should_be_dropped(WhenFull whenFull) {
    CaptureQueue queue = queue(100, whenFull);
    assertThat(queue.submit(item(101))).isFalse();
    assertThat(queue.submit(item(100))).isTrue();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(2, 1, 1, 0));
    assertThat(log)
        .containsExactly(
            "a capture was dropped, further ones are only counted: it holds 101 bytes,"
                + " limits.queue is 100");
  }

  @Test
  void interrupted_thread_should_drop_its_capture_and_stay_interrupted() throws Exception {
    sink.block();
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    queue.submit(item(100));
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread submitting =
        new Thread(
            () -> {
              queue.submit(item(50));
              interrupted.complete(Thread.currentThread().isInterrupted());
            });
    submitting.start();
    awaitBlocked(submitting);
    submitting.interrupt();
    assertThat(interrupted.get(10, TimeUnit.SECONDS)).isTrue();
    assertThat(queue.counters().dropped()).isEqualTo(1);
    sink.gate.countDown();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(2, 1, 1, 0));
  }

  @Test
  void failures_should_be_counted_and_not_stop_the_writer() {
    sink.failEvery = 2;
    CaptureQueue queue = queue(1000, WhenFull.BLOCK);
    queue.submit(item(1)); // written
    queue.submit(item(2)); // the sink fails
    queue.submit(new Item(3, true)); // materialize fails
    queue.submit(item(4)); // written
    queue.close();
    assertThat(sink.written).containsExactly("1", "4");
    assertThat(queue.counters()).isEqualTo(new Counters(4, 2, 0, 2));
    assertThat(discarded).hasValue(4);
    assertThat(queue.heldBytes()).isZero();
    assertThat(log) // each of the two causes once
        .containsExactly(
            "a capture was not recorded, further ones are only counted",
            "a capture was not recorded, further ones are only counted");
    assertThat(queue.status().failedByReason())
        .isEqualTo(Map.of("refused by the output", 1L, "capture could not be read", 1L));
  }

  @Test
  void sink_that_fails_should_be_tried_again_until_it_takes_the_capture() {
    sink.failures = 3;
    CaptureQueue queue = queue(1000, WhenFull.DROP);
    queue.submit(item(1));
    queue.submit(item(2));
    assertThat(queue.flush(Duration.ofSeconds(30))).isTrue();
    assertThat(sink.written).containsExactly("1", "2");
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(2, 2, 0, 0));
    assertThat(log).hasSize(2);
    assertThat(log.get(0)).startsWith("captures cannot be written; it is tried again");
    assertThat(log.get(1)).startsWith("captures are written again, after ");
  }

  @Test
  void sink_that_fails_until_the_end_should_not_hold_it_up() {
    sink.failures = Integer.MAX_VALUE;
    CaptureQueue queue = queue(1000, WhenFull.DROP);
    queue.submit(item(1));
    queue.submit(item(2));
    Awaitility.await().until(() -> queue.status().state() == CaptureStatus.State.PAUSED);
    assertThat(queue.admit()).isNull();
    assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
    assertThat(queue.counters()).isEqualTo(new Counters(3, 0, 1, 2));
    assertThat(queue.status().losses()).isEqualTo(Map.of(Loss.PAUSED, 1L, Loss.OUTPUT, 2L));
    assertThat(discarded).hasValue(2);
  }

  @Test
  void blocked_thread_should_not_wait_longer_than_the_limit() {
    sink.block();
    CaptureQueue queue =
        new CaptureQueue(
            sink,
            new Limits(100, WhenFull.BLOCK, Duration.ofMillis(20), Duration.ofSeconds(30), false),
            (message, failure) -> log.add(message));
    queue.submit(item(100));
    assertThat(queue.submit(item(50))).isFalse();
    assertThat(queue.admit()).isNull(); // a pass is expected to need room, too
    sink.gate.countDown();
    queue.close();
    assertThat(queue.status().losses()).isEqualTo(Map.of(Loss.WAITED, 2L));
    assertThat(queue.counters()).isEqualTo(new Counters(3, 1, 2, 0));
  }

  @Test
  void requests_under_way_should_count_as_much_as_captures_lately_had() throws Exception {
    CaptureQueue queue = queue(100, WhenFull.DROP);
    queue.submit(item(40));
    queue.flush(Duration.ofSeconds(30));
    Admission first = queue.admit();
    Admission second = queue.admit();
    assertThat(first).isNotNull();
    assertThat(second).isNotNull();
    assertThat(queue.admit()).isNull();
    first.close();
    first.close();
    assertThat(queue.admit()).isNotNull();
    queue.close();
  }

  @Test
  void queue_should_be_switched_off_when_memory_runs_out() {
    sink.block();
    CaptureQueue queue = queue(1000, WhenFull.DROP);
    queue.submit(item(10));
    Awaitility.await().until(() -> sink.entered.getCount() == 0);
    queue.submit(item(20));
    queue.lost(new IllegalStateException(new OutOfMemoryError("Java heap space")));
    assertThat(queue.admit()).isNull();
    assertThat(queue.submit(item(30))).isFalse();
    sink.gate.countDown();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(5, 1, 3, 1));
    assertThat(queue.status().losses()).isEqualTo(Map.of(Loss.SWITCHED_OFF, 3L, Loss.PASS, 1L));
    assertThat(log.get(0)).startsWith("memory ran out while captures were made");
  }

  @Test
  void writer_should_hold_nothing_of_the_thread_that_made_the_queue() {
    Thread.currentThread().setContextClassLoader(new ClassLoader() {});
    try {
      queue(100, WhenFull.DROP);
    } finally {
      Thread.currentThread().setContextClassLoader(getClass().getClassLoader());
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> thread.getName().equals("camhook-writer"))
        .isNotEmpty()
        .allSatisfy(thread -> assertThat(thread.getContextClassLoader()).isNull());
  }

  @Test
  void nothing_that_a_capture_throws_should_reach_the_application() {
    CaptureQueue queue = queue(100, WhenFull.DROP);
    PendingCapture hostile =
        new PendingCapture() {
          @Override
          public long bytes() {
            throw new StackOverflowError();
          }

          @Override
          public Capture materialize() {
            throw new AssertionError();
          }

          @Override
          public void discard() {
            throw new OutOfMemoryError();
          }
        };
    assertThat(queue.submit(hostile)).isFalse();
    queue.close();
    assertThat(queue.counters()).isEqualTo(new Counters(1, 0, 0, 1));
    assertThat(log).first().isEqualTo("the tensors of a capture could not be released");
  }

  @Test
  void flush_should_wait_for_what_was_submitted_before() throws InterruptedException {
    sink.block();
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    queue.submit(item(1));
    queue.submit(item(2));
    sink.entered.await();
    assertThat(queue.flush(Duration.ofMillis(1))).isFalse();
    sink.gate.countDown();
    assertThat(queue.flush(Duration.ofSeconds(30))).isTrue();
    assertThat(sink.written).containsExactly("1", "2");
    assertThat(sink.flushes).isPositive();
    queue.close();
  }

  @Test
  void closed_queue_should_drop_and_close_once() {
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    queue.closeAtShutdown();
    queue.close();
    queue.close();
    assertThat(queue.submit(item(1))).isFalse();
    assertThat(queue.counters()).isEqualTo(new Counters(1, 0, 1, 0));
    assertThat(queue.flush(Duration.ofSeconds(1))).isTrue();
    assertThat(sink.closedWith).isEqualTo(Counters.NONE);
  }

  @Test
  void closing_should_free_blocked_threads_and_not_wait_for_a_sink_that_hangs() throws Exception {
    sink.block();
    CaptureQueue queue = queue(100, WhenFull.BLOCK);
    queue.submit(item(50));
    sink.entered.await();
    queue.submit(item(50));
    Thread submitting = new Thread(() -> queue.submit(item(10)));
    submitting.start();
    awaitBlocked(submitting);
    assertThat(queue.close(Duration.ofMillis(50))).isFalse();
    submitting.join();
    assertThat(queue.counters()).isEqualTo(new Counters(3, 0, 2, 1));
    sink.gate.countDown();
    assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
    assertThat(queue.counters()).isEqualTo(new Counters(3, 1, 2, 0));
    assertThat(discarded).hasValue(3);
  }

  /**
   * Threads submit captures of random size (some larger than the queue, some broken) to a sink that
   * fails now and then, and the queue is closed in the middle of it.
   */
  @ParameterizedTest
  @EnumSource(WhenFull.class)
  void counters_should_add_up_exactly_under_load(WhenFull whenFull) throws Exception {
    for (int round = 0; round < 20; round++) {
      discarded.set(0);
      TestSink failing = new TestSink();
      failing.failEvery = 7;
      CaptureQueue queue =
          new CaptureQueue(failing, new Limits(1000, whenFull, false), (message, failure) -> {});
      int threads = 8;
      int each = 500;
      CountDownLatch half = new CountDownLatch(threads * each / 2);
      List<CompletableFuture<Integer>> entered = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Random random = new Random(round * 100L + t);
        entered.add(
            CompletableFuture.supplyAsync(
                () -> {
                  int accepted = 0;
                  for (int i = 0; i < each; i++) {
                    long bytes = random.nextInt(20) == 0 ? 1001 : 1 + random.nextInt(300);
                    accepted += queue.submit(new Item(bytes, random.nextInt(10) == 0)) ? 1 : 0;
                    half.countDown();
                    Counters now = queue.counters();
                    assertThat(now.written() + now.dropped() + now.failed())
                        .isLessThanOrEqualTo(now.fired());
                    assertThat(queue.heldBytes()).isBetween(0L, 1000L);
                  }
                  return accepted;
                },
                command -> new Thread(command).start()));
      }
      if (round % 2 == 0) {
        half.await();
        assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
      }
      int accepted = 0;
      for (CompletableFuture<Integer> count : entered) {
        accepted += count.get();
      }
      assertThat(queue.close(Duration.ofSeconds(30))).isTrue();
      Counters end = queue.counters();
      assertThat(end.fired()).isEqualTo(threads * each);
      assertThat(end.written() + end.dropped() + end.failed()).isEqualTo(end.fired());
      assertThat(end.written() + end.failed()).isEqualTo(accepted);
      assertThat(end.written()).isEqualTo(failing.written.size());
      assertThat(discarded).hasValue(threads * each);
      assertThat(queue.heldBytes()).isZero();
    }
  }
}
