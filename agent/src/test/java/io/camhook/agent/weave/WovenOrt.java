package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.builtin.Watches;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.engine.AdapterContext;
import io.camhook.ort.OrtAdapter;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import net.bytebuddy.agent.ByteBuddyAgent;
import org.awaitility.Awaitility;

/** onnxruntime woven in this JVM, with captures collected in a list. Closing it restores it. */
final class WovenOrt implements AutoCloseable {
  final List<Capture> captures = Collections.synchronizedList(new ArrayList<>());
  final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
  private final Instrumentation instrumentation = ByteBuddyAgent.install();
  private final Weaver weaver;
  private final Recorder recorder;
  private final OrtAdapter adapter = new OrtAdapter();
  private final Watches watches;

  WovenOrt(CamhookConfig config) {
    EventLog log = new KeptLog(messages, failures);
    recorder =
        new Recorder(
            config.limits(),
            "a list",
            () ->
                new CaptureSink() {
                  @Override
                  public void write(Capture capture) throws IOException {
                    captures.add(WovenDjl.kept(capture));
                  }

                  @Override
                  public void close(CaptureStatus status) {}
                },
            log);
    watches = Watches.of(config, log);
    adapter.start(new AdapterContext(config, recorder, watches, log, true));
    Dispatch.install(adapter);
    weaver = new Weaver(List.of(new OrtWeaver()), (name, loader) -> {}, log);
    weaver.install(instrumentation);
  }

  /** Waits for that many captures to be written. */
  List<Capture> captured(int count) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> counters().fired() >= count && settled());
    return List.copyOf(captures);
  }

  private boolean settled() {
    Counters counters = counters();
    return counters.fired() == counters.written() + counters.failed() + counters.dropped();
  }

  /** What became of the captures so far. */
  Counters counters() {
    return recorder.counters();
  }

  /** The full status of the captures. */
  CaptureStatus status() {
    return recorder.status();
  }

  /** Failures of camhook that were counted. */
  long failureCount() {
    return adapter.failures();
  }

  /** Watched sessions that have not been closed. */
  int watchedSessions() {
    return adapter.watchedSessions();
  }

  /** Sessions beside them that are open. */
  int sideSessions() {
    return adapter.sideSessions();
  }

  /** Waits until the thread that makes side sessions has nothing left to do. */
  void idle() throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    adapter.later(done::countDown);
    assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
  }

  /** Does something while the thread that makes side sessions is busy. */
  void busy(ThrowingRunnable work) throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    adapter.later(
        () -> {
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    try {
      work.run();
    } finally {
      end.countDown();
    }
  }

  /** Something that may throw. */
  interface ThrowingRunnable {
    void run() throws Exception;
  }

  /** Writes what the built-in hooks have buffered. */
  void closeWatches() {
    watches.close();
  }

  @Override
  public void close() {
    weaver.remove(instrumentation);
    Dispatch.install(null);
    adapter.close();
    recorder.close();
  }
}
