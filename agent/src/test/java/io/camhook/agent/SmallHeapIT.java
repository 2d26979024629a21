package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.recording.RecordingVerifier;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An application with -Xmx128m, captures of 400 kB and a disk too slow for most of them: it gets
 * its results and no OutOfMemoryError, and lost captures are counted.
 */
@Timeout(300)
class SmallHeapIT {
  private static final int REQUESTS = 5000;
  private static final Pattern COUNTERS =
      Pattern.compile(
          "camhook: (\\d+) of (\\d+) captures written to .*, (\\d+) dropped, (\\d+) failed.*");

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"plain, drop", "plain, block", "djl, drop"})
  void small_heap_and_slow_disk_should_cost_captures_only(String kind, String whenFull)
      throws Exception {
    ForkedJvm.Result plain = jvm().run(classPath(), "app.SmallHeap", kind);
    assertThat(plain.status()).isZero();
    assertThat(plain.out()).contains("ended early 0");

    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - { name: net, %s layers: [%s], capture: [activation], target: none }
        limits: { whenFull: %s, maxWait: 5ms, close: 60s }
        output: { directory: captures }
        """
            .formatted(
                kind.equals("plain") ? "class: app.nn.Scale, root: app.nn.Stack," : "",
                kind.equals("plain") ? "layers.0" : "01LambdaBlock",
                whenFull));
    ForkedJvm.Result captured =
        jvm()
            .jvm("-javaagent:" + slowDisk())
            .agent("camhook.yaml")
            .run(classPath(), "app.SmallHeap", kind);

    assertThat(captured.out()).isEqualTo(plain.out());
    assertThat(captured.status()).isZero();
    assertThat(captured.err()).doesNotContain("OutOfMemoryError", "\tat ");
    Matcher counters =
        captured.err().lines().map(COUNTERS::matcher).filter(Matcher::matches).findFirst().get();
    System.out.println(kind + ", " + whenFull + ": " + counters.group());
    long written = Long.parseLong(counters.group(1));
    assertThat(counters.group(2)).isEqualTo(Integer.toString(REQUESTS));
    assertThat(written + Long.parseLong(counters.group(3)) + Long.parseLong(counters.group(4)))
        .isEqualTo(REQUESTS);
    assertThat(written).isBetween(10L, REQUESTS - 10L); // otherwise the disk was not slow
    RecordingVerifier.Verification verified =
        RecordingVerifier.verify(directory.resolve("captures"));
    assertThat(verified.captures()).isEqualTo(written);
    assertThat(verified.damage()).isEmpty();
  }

  private ForkedJvm jvm() {
    return new ForkedJvm(directory).jvm("-Xmx128m");
  }

  private static String classPath() {
    List<String> entries = new ArrayList<>(List.of(ForkedJvm.applications(), ForkedJvm.engine()));
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (Path.of(entry).getFileName().toString().matches("byte-buddy-[\\d.]+\\.jar")) {
        entries.add(entry);
      }
    }
    return String.join(File.pathSeparator, entries);
  }

  private Path slowDisk() throws IOException {
    Path jar = directory.resolve("slow-disk.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Premain-Class", "app.SlowDisk");
    manifest.getMainAttributes().putValue("Can-Retransform-Classes", "true");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }
}
