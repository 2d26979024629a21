package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.Limits.WhenFull;
import io.camhook.recording.RecordingVerifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class LowMemoryTest {
  private static final long MIB = 1 << 20;

  @TempDir Path temp;

  /** A fixed queue of 256 MiB would end this JVM with an OutOfMemoryError. */
  @ParameterizedTest
  @EnumSource(WhenFull.class)
  void slow_disk_should_not_use_up_the_heap(WhenFull whenFull) throws Exception {
    Path out = temp.resolve("out.txt");
    Path recording = temp.resolve("recording");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                LowMemoryRun.class.getName(),
                recording.toString(),
                whenFull.name())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor()).isZero();
    String text = Files.readString(out);
    assertThat(text).doesNotContain("OutOfMemoryError", "thrown");
    Map<String, String> values =
        text.lines()
            .collect(Collectors.toMap(l -> l.split(" ")[0], l -> l.substring(l.indexOf(' ') + 1)));
    assertThat(values).containsEntry("wrong", "0").containsEntry("fired", "5000");
    assertThat(Long.parseLong(values.get("capacity"))).isEqualTo(16 * MIB);
    assertThat(Long.parseLong(values.get("most"))).isBetween(8 * MIB, 16 * MIB);
    long written = Long.parseLong(values.get("written"));
    assertThat(written + Long.parseLong(values.get("lost"))).isEqualTo(5000);
    RecordingVerifier.Verification verified = RecordingVerifier.verify(recording);
    assertThat(verified.captures()).isEqualTo(written).isGreaterThanOrEqualTo(40);
    assertThat(verified.damage()).isEmpty();
  }

  @Test
  void queue_should_be_derived_from_heap_and_machine() {
    assertThat(Memory.queueBytes(128 * MIB, 8192 * MIB)).isEqualTo(16 * MIB);
    assertThat(Memory.queueBytes(8192 * MIB, 8192 * MIB)).isEqualTo(256 * MIB);
    assertThat(Memory.queueBytes(4096 * MIB, 1024 * MIB))
        .isEqualTo(64 * MIB); // a container of 1 GiB
    assertThat(Memory.queueBytes(16 * MIB, 64 * MIB)).isEqualTo(4 * MIB);
  }
}
