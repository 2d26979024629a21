package io.camhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code camhook demo} with the packaged jars: from the flag to the report, in separate processes.
 */
class DemoIT {
  private static final Path ROOT = Path.of(System.getProperty("camhook.root"));
  @TempDir static Path folder;
  private static String output;
  private static int status;

  @BeforeAll
  static void run_the_demo() throws IOException, InterruptedException {
    Path log = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Djava.awt.headless=true",
                    "-jar",
                    ROOT.resolve("cam-processor/target/camhook.jar").toString(),
                    "demo",
                    "-n",
                    "64",
                    "--pairs",
                    "6",
                    "-o",
                    folder.resolve("demo").toString()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly();
    output = Files.readString(log);
    status = ended ? process.exitValue() : -1;
  }

  @Test
  void demo_should_end_well_and_name_its_report() {
    assertThat(status).as(output).isZero();
    Path report = folder.resolve("demo/report.html");
    assertThat(output).contains(report.toUri().toString()).contains("maps of two classes");
    assertThat(report).exists();
    assertThat(output).contains("70 captures explained");
  }

  @Test
  void heatmaps_should_point_at_the_object_and_noise_should_not() {
    assertThat(rate("Grad-CAM")).as(output).isGreaterThanOrEqualTo(95);
    assertThat(rate("CAM")).as(output).isGreaterThanOrEqualTo(95);
    // objects cover a few per cent of a picture
    assertThat(rate("random")).as(output).isLessThan(20);
  }

  /** The share of hits in pictures of one object, in per cent. */
  private static double rate(String method) {
    Matcher line =
        Pattern.compile("^ +" + method + " +([0-9.]+) %", Pattern.MULTILINE).matcher(output);
    assertThat(line.find()).as("score of %s in:%n%s", method, output).isTrue();
    return Double.parseDouble(line.group(1));
  }
}
