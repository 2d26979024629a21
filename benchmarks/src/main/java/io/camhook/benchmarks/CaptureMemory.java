package io.camhook.benchmarks;

import io.camhook.capture.CaptureQueue;
import io.camhook.capture.DirectorySink;
import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Memory after 100 000 captures, divided by memory after the first 10 000: heap in use after a full
 * collection, direct buffers, resident set and open files. Four threads submit faster than the disk
 * writes, so the queue is always full. Each capture has native memory of its own, as an engine's
 * has, which the queue's writer gives back; the oldest shards are deleted by {@code limits.disk}.
 */
final class CaptureMemory {
  private static final int CAPTURES = Integer.getInteger("captures", 100_000);
  private static final int THREADS = 4;
  private static final long QUEUE_BYTES = 64 << 20;
  private static final long SHARD_BYTES = 64 << 20;
  private static final DiskLimits DISK =
      new DiskLimits(256 << 20, 0, null, DiskLimits.WhenFull.ROTATE);

  private final Path recording;
  private final CaptureQueue queue;

  private final NativeCapture.Pool pool = new NativeCapture.Pool();

  /** 397 kB. */
  private final Capture capture = SampleCaptures.of(224, 620, 7);

  private volatile long mostHeld;

  private CaptureMemory(Path recording) throws IOException {
    this.recording = recording;
    this.queue =
        new CaptureQueue(
            new DirectorySink(
                RecordingWriter.open(
                    recording,
                    Run.begin(null, Map.of()),
                    new Output(recording.toString(), SHARD_BYTES, Permissions.OWNER, DISK))),
            new Limits(QUEUE_BYTES, Limits.WhenFull.BLOCK, false),
            (message, failure) -> System.err.println(message));
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path recording = Files.createTempDirectory("capture-memory");
    CaptureMemory run = new CaptureMemory(recording);
    run.submit(CAPTURES / 10);
    Memory early = Memory.now();
    for (int i = 1; i < 10; i++) {
      run.submit(CAPTURES / 10);
    }
    Memory late = Memory.now();
    Verdict verdict = new Verdict();
    verdict.atMost(1, (double) run.mostHeld / QUEUE_BYTES, "x limits.queue, most bytes held");
    verdict.atMost(1.05, late.heap / early.heap, "x heap after the first tenth of the captures");
    verdict.atMost(1.05, late.direct / early.direct, "x direct buffers");
    verdict.atMost(1.1, late.resident / early.resident, "x resident set");
    Verdict.note((late.resident - early.resident) / (1 << 20), "MiB more resident");
    verdict.atMost(1, late.files / early.files, "x open files");
    run.queue.close(Duration.ofMinutes(1));
    verdict.atLeast(CAPTURES, run.queue.counters().written(), "captures written");
    try (Stream<Path> files = Files.list(recording)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.delete(file);
      }
    }
    Files.delete(recording);
    verdict.exit();
  }

  private void submit(int count) throws IOException, InterruptedException {
    Thread[] threads = new Thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
      threads[t] =
          new Thread(
              () -> {
                for (int i = 0; i < count / THREADS; i++) {
                  queue.submit(new NativeCapture(capture, pool));
                  mostHeld = Math.max(mostHeld, queue.heldBytes());
                }
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (!queue.flush(Duration.ofMinutes(5))) {
      throw new IllegalStateException("the queue could not be flushed: " + queue.counters());
    }
  }

  /** Bytes, and a number of files. */
  private record Memory(double heap, double direct, double resident, double files) {
    static Memory now() throws IOException {
      for (int i = 0; i < 3; i++) {
        System.gc();
      }
      double direct =
          ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
              .mapToLong(BufferPoolMXBean::getMemoryUsed)
              .sum();
      double resident = 0;
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          resident = Double.parseDouble(line.replaceAll("\\D", "")) * 1024;
        }
      }
      double files;
      try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
        files = open.count();
      }
      return new Memory(
          ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
          direct,
          resident,
          files);
    }
  }
}
