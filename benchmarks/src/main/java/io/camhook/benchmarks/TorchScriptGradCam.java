package io.camhook.benchmarks;

import io.camhook.benchmarks.archives.ImageNets;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The cost of Grad-CAM of a TorchScript model at batch 1, 224²; both sides of each ratio run in one
 * JVM, in turn. <i>Grad-CAM</i>: the pass that a sampled request runs, with logits, A and g at its
 * end ÷ the engine's plain forward. <i>Request</i>: {@code Predictor.predict} of a model that the
 * configuration names ÷ the same of a model that it does not name, under the agent, all captures
 * copied and written to a recording while the next request runs. Also: requests that are not
 * sampled, loading, memory.
 */
final class TorchScriptGradCam {
  private static final List<String> ONLY =
      List.of(System.getProperty("only", "").toUpperCase(java.util.Locale.ROOT).split(","));

  /** ResNet-50's layer4, MiB: {@code [1,2048,7,7]} of float32, twice. */
  private static final double ACTIVATION_AND_GRADIENT = 2 * 2048 * 49 * 4 / 1048576.0;

  private final Path folder;
  private final Verdict verdict = new Verdict();
  private int recordings; // a new one each time, because continuing one would check it first

  private TorchScriptGradCam(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("camhook-");
    TorchScriptGradCam run = new TorchScriptGradCam(folder);
    try {
      run.gradCam(ImageNets.RESNET18, 1.03);
      run.gradCam(ImageNets.RESNET50, 1.03);
      run.gradCam(ImageNets.MOBILENET_V2, 1.03);
      run.gradCam(ImageNets.SQUEEZENET, 1.30);
      run.gradCam(ImageNets.VIT_B_16, 1.15);
      if (asked(ImageNets.RESNET18)) {
        run.pass(ImageNets.RESNET18, "layer1, layer2, layer3, layer4", 2.2);
        run.verdict.atMost(
            1.01,
            run.ratio("time", ImageNets.RESNET18, ImageNets.RESNET18.layer(), 1e-9),
            "RESNET18, a request that is not sampled ÷ one of a model that is not named");
      }
      if (asked(ImageNets.RESNET50)) {
        run.loading(ImageNets.RESNET50);
        run.memory(ImageNets.RESNET50);
      }
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
      }
    }
    run.verdict.exit();
  }

  private static boolean asked(ImageNets net) {
    return ONLY.contains("") || ONLY.contains(net.name());
  }

  private void gradCam(ImageNets net, double budget) throws IOException, InterruptedException {
    if (asked(net)) {
      pass(net, net.layer(), budget);
      Verdict.note(
          ratio("time", net, net.layer(), 1),
          net + ", a request with its recording ÷ a plain request");
    }
  }

  private void pass(ImageNets net, String layers, double budget)
      throws IOException, InterruptedException {
    Map<String, Double> found = turns("pass", net, layers, 1);
    double plain = value(found, "plain");
    verdict.atMost(
        budget, value(found, "hooked") / plain, net + ", Grad-CAM at " + layers + " ÷ forward");
    Verdict.note(
        value(found, "copy") / plain, "the same forward in a second copy of the model: noise");
    Verdict.note(
        value(found, "floor") / plain, "the engine's own: the suffix's graph and backward");
  }

  private double ratio(String what, ImageNets net, String layers, double rate)
      throws IOException, InterruptedException {
    Map<String, Double> found = turns(what, net, layers, rate);
    return value(found, "hooked") / value(found, "plain");
  }

  private Map<String, Double> turns(String what, ImageNets net, String layers, double rate)
      throws IOException, InterruptedException {
    Map<String, Double> found = run(what, net, layers, rate, true);
    Verdict.note(value(found, "plain"), "ms plain");
    if (value(found, "same") != 1) {
      Verdict.note(
          value(found, "same"), net + ": logits are not those of the plain method to the bit");
    }
    return found;
  }

  private void loading(ImageNets net) throws IOException, InterruptedException {
    Map<String, Double> found = run("load", net, net.layer(), 1, true);
    Verdict.note(value(found, "plain"), "ms to load " + net);
    verdict.atMost(
        300, value(found, "hooked") - value(found, "plain"), "ms more to load it instrumented");
  }

  /**
   * Four processes that differ in one thing each: no agent; the agent, which does not name the
   * model; the model named and no request sampled; all requests sampled. The heap is resident from
   * the start, so that garbage does not contribute to the difference. Tensors are given back to the
   * system when they are freed (glibc's settings for timings keep them), so that the peak is
   * theirs.
   */
  private void memory(ImageNets net) throws IOException, InterruptedException {
    Map<String, Double> without = run("peak", net, "none", 1e-9, false);
    Map<String, Double> attached = run("peak", net, "nothing", 1e-9, false);
    Map<String, Double> named = run("peak", net, net.layer(), 1e-9, false);
    Map<String, Double> sampled = run("peak", net, net.layer(), 1, false);
    double weights = Files.size(archive(net)) / 1048576.0;
    Verdict.note(weights, "MiB of weights of " + net);
    Verdict.note(value(without, "run"), "MiB of peak without the agent, 128 of them heap");
    Verdict.note(difference(attached, without, "run"), "MiB more with the agent, model not named");
    Verdict.note(difference(named, attached, "run"), "MiB more with the model instrumented");
    Verdict.note(difference(sampled, named, "run"), "MiB more with all requests captured");
    Verdict.note(difference(sampled, named, "heap"), "MiB of it live heap");
    verdict.atMost(
        0.5 * weights,
        difference(named, attached, "loaded"),
        "MiB higher peak of memory while loading it instrumented");
    Verdict.note(value(named, "pass"), "MiB that a request which is not sampled rises above rest");
    Verdict.note(value(sampled, "pass"), "MiB that a captured request rises above rest");
    verdict.atMost(
        ACTIVATION_AND_GRADIENT,
        difference(sampled, named, "pass"),
        "MiB more memory of a captured request: A and g");
  }

  private static double difference(Map<String, Double> one, Map<String, Double> other, String of) {
    return value(one, of) - value(other, of);
  }

  private static double value(Map<String, Double> values, String name) {
    Double value = values.get(name);
    if (value == null) {
      throw new IllegalStateException(
          "the measured process did not print %s but %s".formatted(name, values.keySet()));
    }
    return value;
  }

  private Path archive(ImageNets net) throws IOException {
    Path file = folder.resolve("plain-" + net.name() + ".pt");
    if (!Files.exists(file)) {
      Files.move(net.write(folder), file);
      Files.createLink(folder.resolve("hooked-" + net.name() + ".pt"), file);
    }
    return file;
  }

  private Map<String, Double> run(
      String what, ImageNets net, String layers, double rate, boolean timed)
      throws IOException, InterruptedException {
    Path plain = archive(net);
    Path config = folder.resolve("camhook.yaml");
    Files.writeString(
        config,
        """
        version: 1
        models:
          - name: %s*
            layers: [%s]
            capture: [activation, gradient, output]
            target: top1
        sampling: { rate: %s, maxPerSecond: 1000000 }
        output:
          directory: %s
        """
            .formatted(
                layers.equals("nothing") ? "another-" : "hooked-",
                layers.equals("nothing") ? "auto" : layers,
                rate == 1 ? "1.0" : "0.000000001",
                folder.resolve("captures" + recordings++)));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (!layers.equals("none")) {
      command.add("-javaagent:" + System.getProperty("camhook.agent.jar") + "=" + config);
    }
    command.add("-Dai.djl.offline=true");
    command.add("-DOPT_OUT_TRACKING=true");
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    String heap = timed ? "512m" : "128m";
    command.addAll(List.of("-Xms" + heap, "-Xmx" + heap, "-XX:+AlwaysPreTouch"));
    if (timed) { // a server reaches the 200 calls that compile a method, a short run does not
      command.add("-XX:CompileThresholdScaling=0.05");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(ScriptRun.class.getName(), what, plain.toString()));
    command.add(folder.resolve("hooked-" + net.name() + ".pt").toString());
    command.addAll(List.of(layers.split(", ", -1)));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.INHERIT);
    if (!timed) {
      builder.environment().keySet().removeIf(name -> name.startsWith("MALLOC_"));
      builder.environment().put("MALLOC_MMAP_THRESHOLD_", "65536");
      builder.environment().put("MALLOC_TRIM_THRESHOLD_", "0");
    }
    Process process = builder.start();
    Map<String, Double> values = new HashMap<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] parts = line.split(" ", -1);
        values.put(parts[0], Double.valueOf(parts[1]));
      }
    }
    if (process.waitFor() != 0) {
      throw new IOException("the measured process ended with status " + process.exitValue());
    }
    return values;
  }
}
