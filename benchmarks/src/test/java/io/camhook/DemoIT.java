package io.camhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
  private static Run shapes;

  /** The result of a run of the command. */
  private record Run(int status, String output) {}

  @BeforeAll
  static void run_the_demo() throws IOException, InterruptedException {
    shapes = demo("demo", "-n", "64", "--pairs", "6");
  }

  private static Run demo(String name, String... options) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.awt.headless=true",
                "-jar",
                ROOT.resolve("cam-processor/target/camhook.jar").toString(),
                "demo",
                "-o",
                folder.resolve(name).toString()));
    command.addAll(List.of(options));
    Path log = folder.resolve(name + ".txt");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly();
    return new Run(ended ? process.exitValue() : -1, Files.readString(log));
  }

  @Test
  void demo_should_end_well_and_name_its_report() {
    assertThat(shapes.status).as(shapes.output).isZero();
    Path report = folder.resolve("demo/report.html");
    assertThat(shapes.output).contains(report.toUri().toString()).contains("maps of two classes");
    assertThat(report).exists();
    assertThat(shapes.output).contains("70 captures explained");
  }

  @Test
  void heatmaps_should_point_at_the_object_and_noise_should_not() {
    assertThat(rate(shapes, "Grad-CAM")).as(shapes.output).isGreaterThanOrEqualTo(95);
    assertThat(rate(shapes, "CAM")).as(shapes.output).isGreaterThanOrEqualTo(95);
    // objects cover a few per cent of a picture
    assertThat(rate(shapes, "random")).as(shapes.output).isLessThan(20);
  }

  @Test
  void network_of_plain_java_should_be_explained_the_same() throws Exception {
    Run plain = demo("plain", "--network", "plain", "-n", "32", "--pairs", "0");
    assertThat(plain.status).as(plain.output).isZero();
    assertThat(folder.resolve("plain/report.html")).exists();
    assertThat(plain.output).contains("32 captures explained");
    // The hand-written network is small; its maps point at four objects of five, noise at one of
    // 20.
    assertThat(rate(plain, "Grad-CAM")).as(plain.output).isGreaterThanOrEqualTo(70);
    assertThat(rate(plain, "random")).as(plain.output).isLessThan(20);
  }

  /** The network of the first test in another engine. */
  @Test
  void network_of_onnxruntime_should_be_explained_the_same() throws Exception {
    Run onnx = demo("onnx", "--network", "onnx", "-n", "64", "--pairs", "0");
    assertThat(onnx.status).as(onnx.output).isZero();
    assertThat(folder.resolve("onnx/report.html")).exists();
    assertThat(onnx.output).contains("64 captures explained");
    assertThat(rate(onnx, "Grad-CAM")).as(onnx.output).isGreaterThanOrEqualTo(95);
    assertThat(rate(onnx, "CAM")).as(onnx.output).isGreaterThanOrEqualTo(95);
    assertThat(rate(onnx, "random")).as(onnx.output).isLessThan(20);
  }

  /** The share of hits in pictures of one object, in per cent. */
  private static double rate(Run run, String method) {
    Matcher line =
        Pattern.compile("^ +" + method + " +([0-9.]+) %", Pattern.MULTILINE).matcher(run.output);
    assertThat(line.find()).as("score of %s in:%n%s", method, run.output).isTrue();
    return Double.parseDouble(line.group(1));
  }
}
