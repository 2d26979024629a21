package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import io.camhook.recording.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code process --follow --forever} beside writers that start, roll, rotate and end. */
@Timeout(300)
class FollowIT {
  /** A capture has about 3 kB, so a shard has two or three captures. */
  private static final int SHARD_BYTES = 6_000;

  @TempDir Path folder;
  private PackagedCommand.Started started;

  private Path recording() {
    return folder.resolve("not/yet/there");
  }

  private Path out() {
    return folder.resolve("out");
  }

  private void follow() throws IOException {
    started =
        new PackagedCommand(PackagedCommand.JAR, folder)
            .start(
                List.of(),
                "process",
                recording(),
                "--follow",
                "--forever",
                "-m",
                "gradcam",
                "-o",
                out());
  }

  @AfterEach
  void end() throws InterruptedException {
    started.process().destroyForcibly().waitFor();
  }

  /** Writes the captures {@code first}, … {@code last − 1}. */
  private void record(int first, int last, DiskLimits limits) throws IOException {
    Output output = new Output(recording().toString(), SHARD_BYTES, Permissions.OWNER, limits);
    try (RecordingWriter writer =
        RecordingWriter.open(recording(), Run.begin(null, Map.of()), output)) {
      for (int i = first; i < last; i++) {
        writer.append(TinyRecording.full(id(i)));
      }
    }
  }

  private static String id(int number) {
    return "c-%03d".formatted(number);
  }

  /** The files that were written, by name, with their times. */
  private Map<String, FileTime> written() throws IOException {
    Map<String, FileTime> all = new TreeMap<>();
    if (Files.isDirectory(out())) {
      try (Stream<Path> files = Files.list(out())) {
        for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
          all.put(file.getFileName().toString(), Files.getLastModifiedTime(file));
        }
      }
    }
    return all;
  }

  private void await(Predicate<Map<String, FileTime>> condition) {
    Awaitility.await().atMost(Duration.ofMinutes(2)).until(() -> condition.test(written()));
  }

  @Test
  void heatmaps_should_be_there_once_whichever_side_was_restarted() throws Exception {
    follow(); // before there is a directory
    record(0, 20, DiskLimits.NONE);
    await(files -> files.size() == 20);
    record(20, 30, DiskLimits.NONE); // the next writer
    await(files -> files.size() >= 25);
    started.process().destroyForcibly().waitFor();
    Map<String, FileTime> before = written();
    record(30, 40, DiskLimits.NONE); // while there is no reader
    follow();
    await(files -> files.size() == 40);
    // the oldest shards go, both read and unread ones
    record(40, 80, new DiskLimits(30_000, 0, null, DiskLimits.WhenFull.ROTATE));
    await(files -> files.containsKey(id(79) + ".safetensors"));
    started.process().destroy();
    Invocation ended = PackagedCommand.ended(started);

    assertThat(ended.err()).isEmpty();
    assertThat(ended.out()).contains("captures were there already");
    assertThat(written()).containsAllEntriesOf(before); // none was written again
    for (int i = 0; i < 40; i++) {
      Path file = out().resolve(id(i) + ".safetensors");
      assertThat(Safetensors.read(file).tensors()).containsKey("heatmap/gradcam");
      assertThat(out().resolve(id(i) + ".gradcam.png")).exists();
    }
  }
}
