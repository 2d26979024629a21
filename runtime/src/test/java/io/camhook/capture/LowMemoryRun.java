package io.camhook.capture;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An application with a small heap, eight threads and 5 000 requests, each of which is captured
 * with 400 kB, on a disk that takes 50 captures a second. Prints the counters, and how many results
 * were wrong.
 */
final class LowMemoryRun {
  private static final int THREADS = 8;
  private static final int REQUESTS = 5000;
  private static final int BYTES = 400_000;

  private LowMemoryRun() {}

  public static void main(String[] arguments) throws InterruptedException {
    Limits.WhenFull whenFull = Limits.WhenFull.valueOf(arguments[1]);
    Recorder recorder =
        new Recorder(
            new Limits(Limits.AUTO, whenFull, Duration.ofMillis(5), Duration.ofSeconds(30), false),
            "there",
            () -> new SlowSink(Path.of(arguments[0])),
            EventLog.SILENT);
    AtomicLong wrong = new AtomicLong();
    Thread[] threads = new Thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
      threads[t] =
          new Thread(
              () -> {
                for (int i = 0; i < REQUESTS / THREADS; i++) {
                  if (request(recorder, i) != 3 * i) {
                    wrong.incrementAndGet();
                  }
                }
              });
      threads[t].setUncaughtExceptionHandler((thread, e) -> System.out.println("thrown " + e));
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    recorder.close();
    CaptureStatus status = recorder.status();
    System.out.println("wrong " + wrong);
    System.out.println("capacity " + status.queueCapacity());
    System.out.println("most " + status.queueHighWater());
    System.out.println("fired " + status.counters().fired());
    System.out.println("written " + status.counters().written());
    System.out.println("lost " + (status.counters().dropped() + status.counters().failed()));
    System.out.println("losses " + status.losses());
  }

  /** The application's own work needs memory, too. */
  private static int request(Recorder recorder, int i) {
    int[] work = new int[100_000];
    work[i] = 3 * i;
    try (Admission admission = recorder.admit()) {
      if (admission != null) {
        Capture capture = Captures.of(BYTES, i);
        recorder.submit(new HeapCapture(capture));
      }
    }
    return work[i];
  }

  private static final class SlowSink implements CaptureSink {
    private final DirectorySink directory;

    SlowSink(Path path) throws IOException {
      directory = new DirectorySink(RecordingWriter.open(path, Run.begin(null, Map.of()), 1 << 30));
    }

    @Override
    public void write(Capture capture) throws IOException {
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      directory.write(capture);
    }

    @Override
    public void close(CaptureStatus status) throws IOException {
      directory.close(status);
    }
  }
}
