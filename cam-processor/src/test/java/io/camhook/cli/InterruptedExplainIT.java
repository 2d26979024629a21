package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.Safetensors;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C while a directory of pictures is explained. */
class InterruptedExplainIT {
  private static final Path MODEL =
      Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");
  private static final int PICTURES = 60;
  private static final int SIGINT = 2;

  @TempDir Path folder;

  @Test
  void what_was_finished_should_be_kept() throws Exception {
    Path kill = Path.of("/bin/kill");
    Assumptions.assumeTrue(Files.isExecutable(kill), "no " + kill + ": no way to send SIGINT");
    Assumptions.assumeFalse(ignoresInterrupts(), "started with SIGINT ignored (nohup, &)");
    Path out = Files.createDirectories(folder.resolve("out"));
    PackagedCommand camhook = new PackagedCommand(PackagedCommand.JAR, folder);
    PackagedCommand.Started started;
    try (WatchService watch = FileSystems.getDefault().newWatchService()) {
      out.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      started =
          camhook.start(
              List.of(),
              "explain",
              MODEL,
              pictures(),
              "--size",
              "48",
              "-l",
              "features",
              "-m",
              "rise",
              "-o",
              out);
      awaitHeatmap(watch);
      new ProcessBuilder(kill.toString(), "-INT", Long.toString(started.process().pid()))
          .start()
          .waitFor();
    }
    Invocation run = PackagedCommand.ended(started);

    assertThat(run.status()).as("as shells expect it").isEqualTo(128 + SIGINT);
    assertThat(run.err()).isEmpty();
    List<Path> written;
    try (Stream<Path> files = Files.list(out)) {
      written = files.filter(file -> file.toString().endsWith(".safetensors")).toList();
    }
    assertThat(written).hasSizeBetween(1, PICTURES - 1);
    assertThat(run.out().lines().reduce("", (before, line) -> line))
        .startsWith(written.size() + " input")
        .endsWith(" in " + out + " (interrupted: what was finished)");
    for (Path file : written) {
      assertThat(Safetensors.read(file).tensors()).containsKey("heatmap/rise");
    }
    assertThat(Files.readString(out.resolve("report.html"))).contains("p00");
  }

  /** A process passes an ignored SIGINT on to its children. */
  private static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (Files.isReadable(status)) {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("SigIgn:")) {
          long ignored = Long.parseUnsignedLong(line.substring("SigIgn:".length()).strip(), 16);
          return (ignored & 1L << (SIGINT - 1)) != 0;
        }
      }
    }
    return false;
  }

  private Path pictures() throws IOException {
    Path pictures = Files.createDirectory(folder.resolve("pictures"));
    BufferedImage grey = new BufferedImage(48, 48, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < PICTURES; i++) {
      ImageIO.write(grey, "png", pictures.resolve("p%02d.png".formatted(i)).toFile());
    }
    return pictures;
  }

  private static void awaitHeatmap(WatchService watch) throws InterruptedException {
    for (; ; ) {
      WatchKey key = watch.poll(60, TimeUnit.SECONDS);
      assertThat(key).as("nothing was written for a minute").isNotNull();
      for (WatchEvent<?> event : key.pollEvents()) {
        if (event.context().toString().endsWith(".png")) {
          return;
        }
      }
      key.reset();
    }
  }
}
