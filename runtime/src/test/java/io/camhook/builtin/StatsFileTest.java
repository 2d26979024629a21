package io.camhook.builtin;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.dispatch.KeptLog;
import io.camhook.recording.FileAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatsFileTest {
  @TempDir Path temp;
  private final List<String> log = new ArrayList<>();

  private StatsFile file() {
    return new StatsFile(
        temp.resolve("out"),
        new FileAccess(Permissions.OWNER),
        new KeptLog(log, new ArrayList<>()));
  }

  private static void append(StatsFile file, int step) {
    file.append(
        new LayerCall("net", "layer4", "Conv", step, 0),
        "activation",
        0,
        new long[] {1},
        Summary.of(new float[] {step}),
        new ChannelCounts(0, 0));
  }

  /** A JVM that is killed has written all lines up to then. */
  @Test
  void line_should_be_in_the_file_at_once_and_its_owners_alone() throws IOException {
    StatsFile file = file();
    append(file, 0);
    Path path = temp.resolve("out/stats.jsonl");
    assertThat(Files.readAllLines(path)).hasSize(1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-------");
    file.close();
    append(file, 1);
    assertThat(Files.readAllLines(path)).hasSize(1);
  }

  @Test
  void failed_line_should_be_counted_and_not_stop_the_others() throws IOException {
    Files.writeString(temp.resolve("out"), "in the way");
    StatsFile file = file();
    append(file, 0);
    append(file, 1);
    Files.delete(temp.resolve("out"));
    append(file, 2);
    append(file, 3);
    file.close();
    // what was torn ends with a line break, so that it cannot spoil the next line
    assertThat(Files.readAllLines(temp.resolve("out/stats.jsonl")))
        .filteredOn(line -> !line.isEmpty())
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).startsWith("{\"model\":\"net\"").endsWith("}"));
    assertThat(log).hasSize(2);
    assertThat(log.get(0)).contains("a line of").contains("could not be written");
    assertThat(log.get(1)).contains("2 lines of");
  }

  @Test
  void interrupted_thread_should_write_its_line_and_stay_interrupted() throws IOException {
    StatsFile file = file();
    append(file, 0);
    Thread.currentThread().interrupt();
    append(file, 1);
    assertThat(Thread.interrupted()).isTrue();
    append(file, 2);
    assertThat(Files.readAllLines(temp.resolve("out/stats.jsonl"))).hasSize(3);
  }

  @Test
  void removed_file_should_be_begun_again() throws IOException {
    StatsFile file = file();
    append(file, 0);
    Files.delete(temp.resolve("out/stats.jsonl"));
    Files.delete(temp.resolve("out"));
    append(file, 1);
    assertThat(Files.readAllLines(temp.resolve("out/stats.jsonl"))).hasSize(1);
  }
}
