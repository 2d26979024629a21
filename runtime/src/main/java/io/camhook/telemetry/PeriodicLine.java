package io.camhook.telemetry;

import io.camhook.capture.CaptureObserver;
import io.camhook.capture.DaemonThread;
import io.camhook.capture.Recorder;
import io.camhook.dispatch.EventLog;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code log.every}: logs the counters periodically. It has its own thread, so that it still
 * reports when the disk hangs.
 */
final class PeriodicLine implements CaptureObserver {
  private final Duration every;
  private final EventLog log;
  private final CountDownLatch closed = new CountDownLatch(1);

  PeriodicLine(Duration every, EventLog log) {
    this.every = every;
    this.log = log;
  }

  @Override
  public void began(Recorder recorder) {
    DaemonThread.of("camhook-log", () -> run(recorder)).start();
  }

  private void run(Recorder recorder) {
    try {
      while (!closed.await(every.toNanos(), TimeUnit.NANOSECONDS)) {
        log.info(recorder.statusLine());
      }
    } catch (InterruptedException e) {
      // somebody interrupts all threads: no more lines
    }
  }

  @Override
  public void close() {
    closed.countDown();
  }
}
