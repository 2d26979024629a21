package io.camhook.benchmarks;

import io.camhook.capture.CaptureQueue;
import io.camhook.capture.DirectorySink;
import io.camhook.capture.HeapCapture;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.recording.Capture;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Bytes per second from a submitted capture to the disk (queue, checksum, tar, file), divided by
 * that of a loop of plain {@link FileChannel} writes of the same blobs from one direct buffer. Both
 * write to the same disk in turn, and both force the file to the disk at the end. The best round of
 * each counts: whatever else the machine does only adds time.
 */
final class CaptureToDisk {
  private static final int ROUNDS = Integer.getInteger("rounds", 9);
  private static final int WARM_UP_ROUNDS = 3;
  private static final long ROUND_BYTES = Long.getLong("megabytes", 1024) << 20;
  private static final long SHARD_BYTES = 256L << 20;

  private final Path directory;
  private final Capture capture;
  private final int blobBytes;
  private final int count;

  private CaptureToDisk(Path directory, Capture capture) throws IOException {
    this.directory = directory;
    this.capture = capture;
    CountingChannel counter = new CountingChannel();
    capture.write(counter);
    this.blobBytes = Math.toIntExact(counter.bytes());
    this.count = Math.toIntExact(ROUND_BYTES / blobBytes);
  }

  public static void main(String[] arguments) throws IOException {
    Verdict verdict = new Verdict();
    measure(verdict, "ResNet-50 capture", SampleCaptures.of(224, 2048, 7));
    measure(verdict, "ResNet-18 capture", SampleCaptures.of(224, 512, 7));
    measure(verdict, "demo capture", SampleCaptures.of(96, 64, 12));
    verdict.exit();
  }

  private static void measure(Verdict verdict, String what, Capture capture) throws IOException {
    Path directory = Files.createTempDirectory("capture-to-disk");
    CaptureToDisk run = new CaptureToDisk(directory, capture);
    double plain = Double.POSITIVE_INFINITY;
    double captures = Double.POSITIVE_INFINITY;
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      double plainSeconds = run.plain();
      double captureSeconds = run.captures();
      if (round >= 0) {
        plain = Math.min(plain, plainSeconds);
        captures = Math.min(captures, captureSeconds);
      }
    }
    Files.delete(directory);
    verdict.atLeast(
        0.95,
        plain / captures,
        "x FileChannel loop, %s of %d kB".formatted(what, run.blobBytes / 1000));
    Verdict.note(ROUND_BYTES / plain / (1 << 20), "MiB/s of the FileChannel loop");
  }

  private double plain() throws IOException {
    ByteBuffer blob = ByteBuffer.allocateDirect(blobBytes);
    Path file = directory.resolve("plain.bin");
    long start = System.nanoTime();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int i = 0; i < count; i++) {
        blob.clear();
        while (blob.hasRemaining()) {
          channel.write(blob);
        }
      }
      channel.force(false);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Files.delete(file);
    return seconds;
  }

  private double captures() throws IOException {
    Path recording = directory.resolve("recording");
    long start = System.nanoTime();
    CaptureQueue queue =
        new CaptureQueue(
            new DirectorySink(
                RecordingWriter.open(recording, Run.begin(null, Map.of()), SHARD_BYTES)),
            new Limits(64 << 20, Limits.WhenFull.BLOCK, false),
            (message, failure) -> System.err.println(message));
    for (int i = 0; i < count; i++) {
      queue.submit(new HeapCapture(SampleCaptures.again(capture)));
    }
    if (!queue.close(Duration.ofMinutes(5)) || queue.counters().written() != count) {
      throw new IllegalStateException("not all captures were written: " + queue.counters());
    }
    List<Path> written;
    try (Stream<Path> files = Files.list(recording)) {
      written = files.toList();
    }
    for (Path file : written) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.force(false);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    for (Path file : written) {
      Files.delete(file);
    }
    Files.delete(recording);
    return seconds;
  }
}
