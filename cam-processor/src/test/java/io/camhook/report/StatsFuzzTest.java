package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged lines of the hook stats are skipped and named; more of them with {@code -Pfuzz}. */
class StatsFuzzTest {
  private static final int MUTATIONS = Integer.getInteger("camhook.fuzz", 600);
  private static final String LINE =
      "{\"model\":\"net\",\"step\":0,\"path\":\"layer4\",\"call\":0,\"value\":\"activation\","
          + "\"output\":0,\"shape\":[1,2],\"count\":2,\"mean\":1.5,\"std\":0.5,\"min\":1,\"max\":2,"
          + "\"zeros\":0,\"norm\":2.2,\"nonFinite\":0}\n";

  @TempDir Path directory;

  @Test
  void damaged_lines_should_be_skipped() throws IOException {
    Random random = new Random(46);
    Path file = directory.resolve("stats.jsonl");
    byte[] good = LINE.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] bad = good.clone();
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      try (var out = Files.newOutputStream(file)) {
        out.write(good);
        out.write(bad);
        out.write('\n');
        out.write(good);
      }
      LayerStatistics statistics = new LayerStatistics();
      try {
        List<String> damage = StatsLines.read(directory, statistics);
        assertThat(damage).hasSizeLessThanOrEqualTo(6);
      } catch (IOException | RuntimeException | Error e) {
        fail("mutation " + i + ": " + new String(bad, StandardCharsets.ISO_8859_1), e);
      }
    }
  }
}
