package io.camhook.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.camhook.benchmarks.onnx.OnnxNets;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The agent's cost for a run of onnxruntime, in processes that take turns: without the agent; with
 * it and nothing sampled; and with Grad-CAM at the last block of every run. One thread, 224². A
 * ratio is of the calling thread's time on the processor, on which both sessions run, and the
 * median over rounds, each of which has every kind of process once; the noise is that of a second
 * process without the agent.
 */
public final class OnnxGradCam {
  private static final int PROCESSES = Integer.getInteger("processes", 5);
  private static final int RUNS = 60;

  private OnnxGradCam() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length > 0) {
      measure(Path.of(arguments[0]));
      return;
    }
    Path folder = Files.createTempDirectory("onnx");
    Verdict verdict = new Verdict();
    for (Map.Entry<String, byte[]> net :
        List.of(
            Map.entry("ResNet-18", OnnxNets.resnet18()),
            Map.entry("MobileNetV2", OnnxNets.mobilenetV2()))) {
      Path model = Files.write(folder.resolve(net.getKey() + ".onnx"), net.getValue());
      double[] plain = new double[PROCESSES];
      double[] noise = new double[PROCESSES];
      double[] idle = new double[PROCESSES];
      double[] captured = new double[PROCESSES];
      for (int i = 0; i < PROCESSES; i++) {
        plain[i] = fork(model, null);
        idle[i] = fork(model, configuration(folder, 0)) / plain[i];
        captured[i] = fork(model, configuration(folder, 1)) / plain[i];
        noise[i] = fork(model, null) / plain[i];
      }
      String name = net.getKey();
      Verdict.note(median(plain) / 1e6, "ms for a run of %s without the agent".formatted(name));
      Verdict.note(median(noise), "× of that in another such process");
      verdict.atMost(1.01, median(idle), "× of that where nothing is sampled");
      verdict.atMost(
          1.15,
          median(captured) - 1,
          "× of that more for Grad-CAM at the last block of %s".formatted(name));
    }
    ablation(folder.resolve("ResNet-18.onnx"), verdict);
    verdict.exit();
  }

  /**
   * Ablation-CAM of all 512 channels, where global average pooling and a linear layer follow, ÷ a
   * plain run with as many threads; in one process and in turn.
   */
  private static void ablation(Path model, Verdict verdict) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    long[] shape = {1, 3, 224, 224};
    float[] picture = picture();
    try (Explainer explainer = Explainer.load(model, List.of("auto"));
        OrtSession session = environment.createSession(model.toString());
        OnnxTensor value = OnnxTensor.createTensor(environment, FloatBuffer.wrap(picture), shape)) {
      Tensor input = Tensor.ofFloats(picture, shape);
      Explained explained =
          explainer.run(ModelInput.of("noise", input), TargetChoice.parse("top1", Labels.none()));
      RunOptions options = RunOptions.forInput(input);
      double[] methods = new double[RUNS / 4];
      double[] plain = new double[RUNS / 4];
      for (int i = -5; i < methods.length; i++) {
        long start = System.nanoTime();
        explained.map("ablationcam", 0, options, Heatmaps.standard());
        long between = System.nanoTime();
        session.run(Map.of("input", value)).close();
        methods[Math.max(0, i)] = between - start;
        plain[Math.max(0, i)] = System.nanoTime() - between;
      }
      verdict.atMost(
          1,
          median(methods) / median(plain),
          "plain runs that Ablation-CAM of ResNet-18's 512 channels costs");
    }
  }

  private static float[] picture() {
    float[] picture = new float[3 * 224 * 224];
    Random random = new Random(2);
    for (int i = 0; i < picture.length; i++) {
      picture[i] = (float) random.nextGaussian();
    }
    return picture;
  }

  private static Path configuration(Path folder, int rate) throws IOException {
    return Files.writeString(
        folder.resolve("rate%d.yaml".formatted(rate)),
        """
        version: 1
        models:
          - name: "*"
            layers: [auto]
            capture: [activation, gradient]
            target: top1
        sampling: { rate: %d }
        output: { directory: %s/captures-%%p }
        """
            .formatted(rate, folder));
  }

  /** Nanoseconds of a run. */
  private static double fork(Path model, @Nullable Path configuration) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (configuration != null) {
      command.add("-javaagent:" + System.getProperty("camhook.agent.jar") + "=" + configuration);
    }
    String classPath = System.getProperty("java.class.path");
    command.addAll(List.of("-cp", classPath, OnnxGradCam.class.getName(), model.toString()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String out = new String(process.getInputStream().readAllBytes()).strip();
    if (process.waitFor() != 0 || out.isEmpty()) {
      throw new IOException("a measuring process failed: " + command);
    }
    return Double.parseDouble(out);
  }

  private static void measure(Path model) throws Exception {
    ThreadMXBean thread = ManagementFactory.getThreadMXBean();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] picture = picture();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      try (OrtSession session = environment.createSession(model.toString(), options);
          OnnxTensor input =
              OnnxTensor.createTensor(
                  environment, FloatBuffer.wrap(picture), new long[] {1, 3, 224, 224})) {
        session.run(Map.of("input", input)).close();
        TimeUnit.SECONDS.sleep(5); // the side session is made in the meantime
        double[] times = new double[RUNS];
        for (int i = -RUNS / 4; i < RUNS; i++) {
          long start = thread.getCurrentThreadCpuTime();
          session.run(Map.of("input", input)).close();
          times[Math.max(0, i)] = thread.getCurrentThreadCpuTime() - start;
        }
        System.out.println(median(times));
      }
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
